//go:build e2e

package e2e

import (
	"fmt"
	"math"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// allow gives the user dev these rights: verbs by resource.
func (s *space) allow(rights map[string][]string) { s.Helper(); s.allowTo("dev", rights) }

// allowTo gives a user rights.
func (s *space) allowTo(user string, rights map[string][]string) {
	s.Helper()
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: user}}
	for kind, verbs := range rights {
		group := "apps"
		if kind == "pods" || kind == "pods/log" || kind == "events" {
			group = ""
		}
		role.Rules = append(role.Rules, rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{kind}, Verbs: verbs})
	}
	rbac := s.client.RbacV1()
	_, err := rbac.Roles(s.name).Create(s.Context(), role, metav1.CreateOptions{})
	must(s.TB, err)
	_, err = rbac.RoleBindings(s.name).Create(s.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: user},
		Subjects:   []rbacv1.Subject{{Kind: "User", Name: user}},
		RoleRef:    rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "Role", Name: user},
	}, metav1.CreateOptions{})
	must(s.TB, err)
	// The API server takes a moment to know of them.
	for _, rule := range role.Rules {
		s.until(func() bool { return s.may(user, rule) }, func() string { return fmt.Sprintf("%s has no right to %v", user, rule) })
	}
}

// may asks whether a user has a right.
func (s *space) may(user string, rule rbacv1.PolicyRule) bool {
	s.Helper()
	kind, sub, _ := strings.Cut(rule.Resources[0], "/")
	review, err := s.client.AuthorizationV1().SubjectAccessReviews().Create(s.Context(), &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{User: user, ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: s.name, Verb: rule.Verbs[0], Group: rule.APIGroups[0], Resource: kind, Subresource: sub,
		}},
	}, metav1.CreateOptions{})
	must(s.TB, err)
	return review.Status.Allowed
}

// enough are the rights that a rollout needs.
func enough() map[string][]string {
	return map[string][]string{
		"deployments": {"get", "list", "watch", "patch"},
		"replicasets": {"get", "list", "watch", "patch"},
		"pods":        {"get", "list", "watch"},
		"pods/log":    {"get"},
	}
}

func TestTheRightsThatAreEnough(t *testing.T) {
	w := newWeb(t)
	w.allow(enough())
	w.start("web:v2", "--as", "dev").ends(0)
	w.start("web:crash", "--as", "dev").ends(5, "unknown key")
	w.plugin("undo", "deployment/web", "--to-revision", "1", "--as", "dev", "--wait").ends(0)
	w.plugin("status", "deployment/web", "--as", "dev").ends(0)
	w.restored()
}

func TestMissingRightsAreNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rights, tells string }{
		{"no right at all", "", `the right to get deployments in namespace `},
		{"no list of pods", "pods", "the right to list and watch pods is missing"},
		{"no list of ReplicaSets", "replicasets", "the right to list and watch replicasets is missing"},
		{"no watch on pods", "pods list", "the right to watch pods is missing"},
		{"no watch on Deployments", "deployments list patch", "the right to watch deployments is missing"},
		{"no write", "deployments list watch", `the right to patch deployments in namespace `},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWeb(t)
			rights := enough()
			if words := strings.Fields(c.rights); len(words) == 0 {
				rights = map[string][]string{"pods": {"get"}}
			} else {
				rights[words[0]] = append([]string{"get"}, words[1:]...)
			}
			w.allow(rights)
			before := w.get()
			w.start("web:v2", "--as", "dev").ends(1, "the right to ")
			w.start("web:v2", "--as", "dev", "--skip-checks").ends(1, c.tells)
			if c.rights == "" {
				w.plugin("status", "deployment/web", "--as", "dev").ends(1, `cannot get resource "deployments"`)
			} else {
				w.plugin("status", "deployment/web", "--as", "dev").ends(0) // a finished one needs no more
			}
			if after := w.get(); after.ResourceVersion != before.ResourceVersion {
				t.Error("something was written all the same")
			}
		})
	}
}

// kubectl rollout history takes no right to list pods.
func TestHistoryWithoutTheRightToListPods(t *testing.T) {
	s := newSpace(t)
	s.workload("sts", "web:v1", "web:v2")
	s.workload("ds", "web:v1", "web:v2")
	s.allow(map[string][]string{"statefulsets": {"get"}, "daemonsets": {"get"}, "controllerrevisions": {"list"}})
	for _, object := range []string{"sts/web", "ds/web"} {
		for output, tells := range map[string]string{"wide": " current   -      web:v2 ", "yaml": "state: current", "jsonpath={.state}": "stdout: oldcurrent"} {
			p := s.plugin("history", object, "-o", output, "--as", "dev").ends(0, tells, "are not counted, and states go by its status alone: pods is forbidden")
			if told := p.errOut.String(); strings.Count(told, "\n") > 2 || strings.Contains(p.out.String(), "pods:") {
				t.Errorf("history %s -o %s:\n%s", object, output, p.output())
			}
		}
	}
}

// A Deployment without a deadline has that of an open rollout. It takes the rights all the same that kubectl's commands take.
func TestTheRightsThatADeploymentWithoutADeadlineTakes(t *testing.T) {
	t.Parallel()
	write := []string{"get", "patch"}
	for name, c := range map[string]struct {
		rights   map[string][]string
		commands [][]string
	}{
		"without a list of ReplicaSets": {
			map[string][]string{"deployments": write},
			[][]string{{"pause"}, {"resume"}, {"restart"}, {"status", "--watch=false"}},
		},
		"with one": {map[string][]string{"deployments": write, "replicasets": {"list"}}, [][]string{{"status", "--watch=false"}, {"undo"}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := threeRevisions(t, progressDeadline(math.MaxInt32))
			w.allow(c.rights)
			for _, command := range c.commands {
				w.await("complete", (*snapshot).complete)
				w.plugin(append(command, "deployment/web", "--as", "dev")...).ends(0)
			}
		})
	}
}

// The rights go in mid-rollout: the command ends, and says what it misses and how to go on.
func TestRightsRevokedInMidRollout(t *testing.T) {
	w := newWeb(t, delay("2s"))
	w.allow(enough())
	p := w.start("web:slow", "--as", "dev")
	w.await("it is under way", func(m *snapshot) bool { return m.step() == 1 && m.total("web:slow") > 0 })
	must(t, w.client.RbacV1().RoleBindings(w.name).Delete(w.Context(), "dev", metav1.DeleteOptions{}))
	p.ends(4, "the right to patch deployments in namespace", "stands still at step 1 of 3", "rollout-plus resume")
	w.plugin("resume", "deployment/web").ends(0)
	w.runs("web:slow")
	w.keeps("1", "1")
}

func TestADeploymentDeletedInMidRollout(t *testing.T) {
	w := newWeb(t)
	p := w.underWay()
	watching := w.plugin("status", "deployment/web")
	watching.tells("step 1 of 3")
	w.kubectl("delete", "deployment/web", "--wait=false")
	p.ends(1, "the Deployment was deleted")
	watching.ends(1, "object has been deleted")
}

// The same name is not the same Deployment.
func TestADeploymentReplacedInMidRollout(t *testing.T) {
	w := newWeb(t)
	p := w.underWay()
	w.kubectl("delete", "deployment/web", "--cascade=background")
	w.kubectl("create", "deployment", "web", "--image", "web:v1")
	p.ends(1, "the Deployment was deleted")
}

// A quota that is used up is no reason to wait for ever, and is told.
func TestAQuotaInTheWay(t *testing.T) {
	w := newWeb(t, progressDeadline(4), strategy("1", "0"))
	_, err := w.client.CoreV1().ResourceQuotas(w.name).Create(w.Context(), &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "pods"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("3")}},
	}, metav1.CreateOptions{})
	must(t, err)
	w.start("web:v2").ends(1, "check FAIL QuotaRoom: ResourceQuota pods leaves 0 of pods", "--skip-checks")
	w.start("web:v2", "--skip-checks").ends(5, "ProgressDeadlineExceeded", "exceeded quota")
	w.runs("web:v1")
	w.keeps("1", "0")
}
