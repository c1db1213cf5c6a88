//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// checked is what check -o json promises.
type checked struct {
	SchemaVersion int
	Object        struct{ Kind, Name string }
	Failed        bool
	Checks        []struct{ ID, Status, Message string }
}

// checks runs check, and gives what each came to.
func (s *space) checks(code int, args ...string) (checked, map[string]string) {
	s.Helper()
	p := s.plugin(append([]string{"check", "-o", "json"}, args...)...).ends(code)
	var told checked
	if err := json.Unmarshal([]byte(p.out.String()), &told); err != nil {
		s.Fatalf("%v\n%s", err, p.output())
	}
	statuses := map[string]string{}
	for _, c := range told.Checks {
		statuses[c.ID] = c.Status + " " + c.Message
	}
	return told, statuses
}

// expect compares what checks came to with how that has to begin.
func (s *space) expect(got, want map[string]string) {
	s.Helper()
	for id, text := range want {
		if !strings.HasPrefix(got[id], text) {
			s.Errorf("%s is %q, not %q", id, got[id], text)
		}
	}
}

func TestCheck(t *testing.T) {
	w := newWeb(t)
	told, _ := w.checks(0, "deployment/web")
	if told.SchemaVersion != 1 || told.Failed || told.Object.Kind != "Deployment" || told.Checks[0].ID != "Rights" || told.Checks[0].Status != "OK" {
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
	w.beginWith([]string{"GITHUB_ACTIONS=true"}, "rollout-plus", "check", "deployment/web", "--max-surge", "1", "--max-unavailable", "0", "-o", "json").
		ends(4, "::error title=QuotaRoom::deployment.apps/web: ResourceQuota none ")
	w.kubectl("delete", "quota", "none")
	w.plugin("check", "deployment/none").ends(1, `deployments.apps "none" not found`)
	w.plugin("check", "configmap/kube-root-ca.crt").ends(2, "is no Deployment, StatefulSet or DaemonSet")
	w.plugin("check").ends(2)
}

func TestCheckOfOtherKinds(t *testing.T) {
	s := newSpace(t)
	s.rolledOut(
		manifestOf("StatefulSet", "db", "db:v1", `serviceName: db, updateStrategy: {rollingUpdate: {partition: 1}}`),
		manifestOf("DaemonSet", "log", "log:v1", ""),
	)
	told, got := s.checks(0, "statefulset/db")
	if told.Object.Kind != "StatefulSet" || told.Object.Name != "db" {
		t.Errorf("got %+v", told)
	}
	s.expect(got, map[string]string{
		"Rights": "OK", "ServiceName": "WARN Service db does not exist", "UpdateStrategy": "WARN partition 1: the first 1 of 2 pods keep",
		"ProgressDeadline": "SKIP a StatefulSet has no progressDeadlineSeconds", "NodeRoom": "OK", "ClaimTemplates": "OK", "SelectorUnique": "OK",
	})
	s.kubectl("create", "service", "clusterip", "db", "--clusterip=None")
	s.kubectl("patch", "statefulset/db", "-p", `{"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}}}`)
	s.kubectl("patch", "statefulset/db", "-p",
		`{"spec": {"template": {"spec": {"imagePullSecrets": [{"name": "registry"}], "containers": [{"name": "app", "envFrom": [{"secretRef": {"name": "none"}}]}]}}}}`)
	_, got = s.checks(4, "sts", "db")
	s.expect(got, map[string]string{
		"ServiceName": "OK Service db is headless", "UpdateStrategy": "WARN OnDelete", "References": "FAIL pods need what does not exist: Secret none",
		"PullSecrets": "WARN images are pulled without what does not exist: Secret registry",
	})
	_, got = s.checks(0, "daemonset/log", "--max-surge", "1")
	s.expect(got, map[string]string{
		"Autoscaler": "SKIP a DaemonSet has no replicas", "ServiceSelects": "OK", "NodeRoom": "OK", "UpdateStrategy": "OK RollingUpdate",
	})
	s.plugin("check", "statefulset/db", "--max-surge", "1").ends(2, "--max-surge: a StatefulSet has none")
	s.plugin("check", "daemonset/log", "--max-surge", "1", "--max-unavailable", "1").ends(2, "one of them has to be 0 for a DaemonSet")
	// A Deployment that selects the pods of another workload is found, and several objects are told apart.
	s.kubectl("apply", "-f", s.file(manifestOf("Deployment", "web", "web:v1", "")))
	s.kubectl("apply", "-f", s.file(strings.Replace(manifestOf("ReplicaSet", "old", "web:v1", ""), "app: old", "app: web", 2)))
	s.plugin("check", "deployments,daemonsets", "-l", "shop=yes").ends(0, "deployment.apps/web\n", "daemonset.apps/log\n",
		"WARN SelectorUnique: the selector of ReplicaSet old matches these pods, too")
}

// Who may not read what a check looks at gets it skipped, with why, and the rollout goes on.
func TestChecksWithTheLeastRights(t *testing.T) {
	w := newWeb(t)
	w.allow(enough())
	p := w.start("web:v2", "--as", "dev").ends(0, "check SKIP QuotaRoom: resourcequotas cannot be read", "check WARN Rights")
	if strings.Contains(p.output(), "FAIL") {
		t.Errorf("a check stands against it\n%s", p.output())
	}
	w.restored()
}

// A right to one Deployment alone is enough, since nothing is done with others.
func TestStartWithTheRightToOneDeployment(t *testing.T) {
	w := newWeb(t)
	rights := enough()
	delete(rights, "deployments")
	w.allow(rights)
	w.kubectl("create", "role", "named", "--verb=get,list,watch,patch", "--resource=deployments.apps", "--resource-name=web")
	w.kubectl("create", "rolebinding", "named", "--role=named", "--user=dev")
	w.until(func() bool {
		review, err := w.client.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorizationv1.SubjectAccessReview{
			Spec: authorizationv1.SubjectAccessReviewSpec{User: "dev", ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: w.name, Verb: "patch", Group: "apps", Resource: "deployments", Name: "web",
			}},
		}, metav1.CreateOptions{})
		return err == nil && review.Status.Allowed
	}, func() string { return "dev has no right to deployment web" })
	w.start("web:v2", "--as", "dev").ends(0)
	w.restored()
}

// What runs on nodes takes the right to see all pods. Without it their size is looked at alone, and without nodes nothing.
func TestRoomOnNodesWithFewRights(t *testing.T) {
	w := newWeb(t)
	w.allow(enough())
	_, got := w.checks(0, "deployment/web", "--as", "dev")
	w.expect(got, map[string]string{"NodeRoom": "SKIP nodes cannot be read", "Rights": "WARN", "SelectorUnique": "SKIP", "PullSecrets": "SKIP"})
	rbac, named := w.client.RbacV1(), metav1.ObjectMeta{Name: w.name}
	_, err := rbac.ClusterRoles().Create(t.Context(), &rbacv1.ClusterRole{
		ObjectMeta: named, Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"nodes"}, Verbs: []string{"list"}}},
	}, metav1.CreateOptions{})
	must(t, err)
	w.afterwards(func(ctx context.Context) error {
		return rbac.ClusterRoles().Delete(ctx, w.name, metav1.DeleteOptions{})
	})
	// Of a group of its own: others are the user dev at the same time.
	_, err = rbac.ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: named, Subjects: []rbacv1.Subject{{Kind: "Group", Name: w.name}},
		RoleRef: rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: w.name},
	}, metav1.CreateOptions{})
	must(t, err)
	w.afterwards(func(ctx context.Context) error {
		return rbac.ClusterRoleBindings().Delete(ctx, w.name, metav1.DeleteOptions{})
	})
	w.until(func() bool {
		_, got = w.checks(0, "deployment/web", "--as", "dev", "--as-group", w.name)
		return strings.HasPrefix(got["NodeRoom"], "OK")
	}, func() string { return "NodeRoom is " + got["NodeRoom"] })
	if !strings.Contains(got["NodeRoom"], "not counted: pods of all namespaces cannot be read") {
		t.Errorf("got %s", got["NodeRoom"])
	}
}

// What keeps new pods from running beside old ones is foreseen, with the flags that help; so is a rollout that is in the way.
func TestCheckForeseesWhatNewPodsCannotShare(t *testing.T) {
	open, w := newWeb(t, replicas(5), strategy("1", "1")), openSpace(t, t.TempDir())
	w.kubectl("create", "-f", w.write(w.dir(), "claim.yaml", "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n"+
		"spec: {accessModes: [ReadWriteOncePod], resources: {requests: {storage: 1Gi}}}\n"))
	manifest := strings.ReplaceAll(strings.Replace(workloadManifest("Deployment", "web:v1"), "replicas: 2", "replicas: 1", 1), "web,", "db,")
	manifest = strings.ReplaceAll(strings.ReplaceAll(manifest, "name: web", "name: db"), "app: web", "app: db")
	w.kubectl("create", "-f", w.write(w.dir(), "db.yaml", manifest+"      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]\n"))
	w.plugin("check", "deployment/db").ends(0, "claim data at a time (ReadWriteOncePod)", "--max-surge 0 --max-unavailable 1")
	if told := w.plugin("check", "deployment/db", "--max-surge", "0", "--max-unavailable", "1").ends(0).output(); strings.Contains(told, "ReadWriteOncePod") {
		t.Errorf("without a surge it is told all the same: %s", told)
	}
	w.kubectl("patch", "deployment", "db", "-p", `{"spec":{"template":{"spec":{"nodeName":"no-such-node"}}}}`)
	w.plugin("check", "deployment/db").ends(4, "FAIL NodeRoom: there is no node no-such-node")
	open.detached()
	open.plugin("check", "deployment/web").ends(4, "FAIL OpenRollout: a stepwise rollout is open", "abort goes back")
}
