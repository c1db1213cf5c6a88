package app

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
)

// Every printed command carries the flags of the connection that were given, wherever they stand, and no secret.
func TestPrintedCommandsCarryTheConnection(t *testing.T) {
	t.Parallel()
	var errOut bytes.Buffer
	code := Main(context.Background(), Process{
		Args: strings.Split("kubectl-rollout_plus|status|--kubeconfig=/no/such config|deployment/web|--revision|-1|--context|a$b|--token|secret|--as|me|"+
			"--as-group|x|--as-group|y z|--insecure-skip-tls-verify|-n|shop", "|"),
		Out: &errOut, ErrOut: &errOut, LookupEnv: func(string) (string, bool) { return "", false },
	})
	if code != cli.ExitUsage || strings.Contains(errOut.String(), "secret") {
		t.Errorf("%d: %s", code, &errOut)
	}
	root := NewRootCommand(Process{LookupEnv: func(string) (string, bool) { return "", false }}, genericiooptions.NewTestIOStreamsDiscard())
	if err := root.ParseFlags([]string{
		"--kubeconfig=/no/such config", "--context", "a$b", "--token", "secret", "--password=secret", "--as", "me", "--as-group", "x", "--as-group", "y z",
		"--insecure-skip-tls-verify", "-n", "shop", "--request-timeout", "5s",
	}); err != nil {
		t.Fatal(err)
	}
	const flags = ` --kubeconfig "/no/such config" --context "a\$b" --insecure-skip-tls-verify=true --as me --as-group x --as-group "y z" ` +
		`--password "$PASSWORD" --token "$TOKEN"`
	connection := cli.ConnectionOf(root.PersistentFlags())
	web := printers.Deployment("shop", "web")
	if got, want := connection.Text(cli.CommandOn("undo", web)), "'kubectl rollout-plus undo deployment/web -n shop"+flags+"'"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}

	finding := diagnose.Known(diagnose.ProgressDeadlineExceeded, diagnose.Object{Kind: "Deployment", Name: "web"}, "shop", "")
	finding.Evidence = []string{"it says 'kubectl get pods -n shop' helps"}
	var lines, events bytes.Buffer
	for _, p := range []printers.Printer{
		printers.NewLines(&lines, &lines, printers.NewPalette(false), printers.NewPalette(false), "deployment.apps/web"), printers.NewJSON(&events, web),
	} {
		p = cli.Connecting{Printer: p, Connection: connection}
		p.Event(time.Time{}, rollout.FindingEvent{Finding: finding})
		p.Event(time.Time{}, rollout.FindingEvent{Finding: diagnose.Known(diagnose.NotReady, diagnose.Object{}, "shop", "told before"), Again: true})
		p.Event(time.Time{}, rollout.ProgressEvent{Message: "'kubectl rollout-plus status deployment/web -n shop' tells"})
		p.Result(time.Time{}, &printers.Result{Message: cli.CommandOn("abort", web) + " goes back", Result: &rollout.Result{Finding: finding}})
	}
	for _, want := range []string{"next: kubectl rollout-plus undo deployment/web -n shop" + flags + "\n", "get pods -n shop" + flags + "'", "status deployment/web -n shop" + flags + "'"} {
		if !strings.Contains(lines.String(), want) {
			t.Errorf("no %q in\n%s", want, &lines)
		}
	}
	if !strings.Contains(lines.String(), "told before\n") || strings.Contains(lines.String(), "told before\n         ") || !strings.Contains(events.String(), `"again":true`) {
		t.Errorf("what is told again is not one line:\n%s%s", &lines, &events)
	}
	escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(flags)
	for what, times := range map[string]int{`["kubectl rollout-plus undo deployment/web -n shop` + escaped + `"]`: 2, "abort deployment/web -n shop" + escaped + "' goes back": 1} {
		if got := strings.Count(events.String(), what); got != times {
			t.Errorf("%q %d times in\n%s", what, got, &events)
		}
	}
}
