// Package podtemplate edits pod templates as the API server holds them, with all fields that this client does not know,
// and shows them as people write them. It is pure.
package podtemplate
