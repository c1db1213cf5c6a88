package main

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// printersFolder holds the types that are written as JSON.
const printersFolder = "pkg/printers"

// sources reads declarations of the repository's packages.
type sources struct {
	root     string
	packages map[string]*declarations
}

// declarations are the types and constants of a package.
type declarations struct {
	structs map[string]*ast.StructType
	// constants holds the constants of each type, in their order.
	constants map[string][]constant
}

// constant is a constant with a string value.
type constant struct{ name, value, comment string }

// of returns the declarations of the package in a folder.
func (s *sources) of(folder string) (*declarations, error) {
	if d, found := s.packages[folder]; found {
		return d, nil
	}
	paths, err := filepath.Glob(filepath.Join(s.root, folder, "*.go"))
	if err != nil {
		return nil, err
	}
	d := &declarations{structs: map[string]*ast.StructType{}, constants: map[string][]constant{}}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, decl := range file.Decls {
			if general, is := decl.(*ast.GenDecl); is {
				d.add(general)
			}
		}
	}
	s.packages[folder] = d
	return d, nil
}

func (d *declarations) add(decl *ast.GenDecl) {
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if structure, is := spec.Type.(*ast.StructType); is {
				d.structs[spec.Name.Name] = structure
			}
		case *ast.ValueSpec:
			if decl.Tok == token.CONST {
				d.addConstant(spec)
			}
		}
	}
}

func (d *declarations) addConstant(spec *ast.ValueSpec) {
	kind, is := spec.Type.(*ast.Ident)
	if !is || len(spec.Values) != 1 {
		return
	}
	literal, is := spec.Values[0].(*ast.BasicLit)
	if !is || literal.Kind != token.STRING {
		return
	}
	if value, err := strconv.Unquote(literal.Value); err == nil {
		d.constants[kind.Name] = append(d.constants[kind.Name], constant{spec.Names[0].Name, value, textOf(spec.Doc)})
	}
}

// textOf returns a comment in one line.
func textOf(comment *ast.CommentGroup) string {
	return strings.Join(strings.Fields(comment.Text()), " ")
}

// meaning returns what the first sentence of a comment says about a name: "Done means that ..." is what follows.
func meaning(comment, name string) string {
	rest, is := strings.CutPrefix(comment, name+" ")
	if !is {
		return comment
	}
	for _, verb := range []string{"means that ", "lists ", "is ", "are ", "says that ", "says "} {
		if text, is := strings.CutPrefix(rest, verb); is {
			return strings.TrimSuffix(text, ".")
		}
	}
	return strings.TrimSuffix(rest, ".")
}

// constants returns a table of the constants of a type.
func (s *sources) constants(folder, kind, title string) (string, error) {
	d, err := s.of(folder)
	if err != nil {
		return "", err
	}
	if len(d.constants[kind]) == 0 {
		return "", fmt.Errorf("%s has no constants of type %s", folder, kind)
	}
	rows := [][]string{{title, "meaning"}}
	for _, c := range d.constants[kind] {
		rows = append(rows, []string{"`" + c.value + "`", meaning(c.comment, c.name)})
	}
	return table(rows), nil
}

// field is a JSON field of a type.
type field struct{ name, kind, meaning string }

// fields returns a table of the JSON fields of a type. It leaves out the header, which all events have.
func (s *sources) fields(kind string) (string, error) {
	fields, err := s.fieldsOf(kind)
	if err != nil {
		return "", err
	}
	rows := [][]string{{"field", "type", "meaning"}}
	for _, f := range fields {
		rows = append(rows, []string{"`" + f.name + "`", f.kind, f.meaning})
	}
	return table(rows), nil
}

func (s *sources) fieldsOf(kind string) ([]field, error) {
	d, err := s.of(printersFolder)
	if err != nil {
		return nil, err
	}
	structure, found := d.structs[kind]
	if !found {
		return nil, fmt.Errorf("%s has no type %s", printersFolder, kind)
	}
	var fields []field
	for _, f := range structure.Fields.List {
		if len(f.Names) == 0 {
			if embedded, is := f.Type.(*ast.Ident); is && embedded.Name != "header" {
				inner, err := s.fieldsOf(embedded.Name)
				if err != nil {
					return nil, err
				}
				fields = append(fields, inner...)
			}
			continue
		}
		described, err := describe(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		if described.name != "-" {
			fields = append(fields, described)
		}
	}
	return fields, nil
}

// describe returns the JSON field of a Go field. A field without a comment is an error.
func describe(f *ast.Field) (field, error) {
	if f.Tag == nil {
		return field{name: "-"}, nil
	}
	tag, err := strconv.Unquote(f.Tag.Value)
	if err != nil {
		return field{}, err
	}
	name, options, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
	text := textOf(f.Doc)
	if text == "" {
		return field{}, fmt.Errorf("the field %s has no comment", f.Names[0].Name)
	}
	kind := kindOf(f.Type)
	if options == "omitempty" {
		kind += ", optional"
	}
	return field{name, kind, meaning(text, f.Names[0].Name)}, nil
}

var numbers = regexp.MustCompile(`^(int|float)\d*$`)

// kindOf returns the JSON type of a Go type.
func kindOf(expr ast.Expr) string {
	switch e := expr.(type) {
	case *ast.StarExpr:
		return kindOf(e.X)
	case *ast.ArrayType:
		return "list"
	case *ast.SelectorExpr: // a string type of the engine, or a time, which is a string as well
		return "string"
	case *ast.Ident:
		switch {
		case numbers.MatchString(e.Name):
			return "number"
		case e.Name == "bool":
			return "boolean"
		case doc.IsPredeclared(e.Name):
			return e.Name
		}
	}
	return "object"
}

// table returns a Markdown table. The first row is its heading.
func table(rows [][]string) string {
	var b strings.Builder
	for i, row := range rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			b.WriteString(strings.Repeat("| --- ", len(row)) + "|\n")
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}
