//go:build e2e

package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	w := newWeb(t)
	p := w.plugin("check", "deployment/web", "-o", "json").ends(0)
	var told struct {
		SchemaVersion int
		Failed        bool
		Checks        []struct{ ID, Status, Message string }
	}
	must(t, json.Unmarshal([]byte(p.out.String()), &told))
	if told.SchemaVersion != 1 || told.Failed || len(told.Checks) != 15 || told.Checks[0].ID != "Rights" || told.Checks[0].Status != "OK" {
		t.Errorf("got %+v", told)
	}
	// What stands against a rollout stops it before anything is written.
	before := w.now()
	w.start("web:v2:3").ends(1, "check FAIL ImageReference", "nothing was written, and --skip-checks begins all the same")
	if now := w.now(); now.deployment.Generation != before.deployment.Generation {
		t.Error("the Deployment was written")
	}
	w.kubectl("create", "quota", "none", "--hard=pods=0")
	w.kubectl("wait", "resourcequota/none", "--for=jsonpath={.status.hard.pods}=0", "--timeout=2m")
	w.plugin("check", "deployment/web", "--max-surge", "1", "--max-unavailable", "0").ends(4, "FAIL QuotaRoom", "no pod could be replaced")
	w.kubectl("delete", "quota", "none")
	w.plugin("check", "statefulset/web").ends(2)
}

// Who may not read what a check looks at gets it skipped, with why, and the rollout goes on.
func TestChecksWithTheLeastRights(t *testing.T) {
	w := newWeb(t)
	w.allow(enough())
	p := w.start("web:v2", "--as", "dev").ends(0, "check SKIP QuotaRoom: resourcequotas cannot be read", "check WARN Rights")
	if strings.Contains(p.told(), "FAIL") {
		t.Errorf("a check stands against it\n%s", p.told())
	}
	w.restored()
}
