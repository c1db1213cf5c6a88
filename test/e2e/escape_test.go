//go:build e2e

package e2e

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// evil moves the cursor, writes to the clipboard, hides text, and gives CI runners commands.
const evil = "x\x1b[1A\x1b[2K\x1b]52;c;aGk=\x07\r::set-output name=a::b\n::error::b\n##[error]c ##vso[task.complete]d\nsection_start:1:e\r\x1b[0K\u202e\u0085\u2028f\x7f\u009b2J"

// dangerous is what none of it may be in what a command tells.
var dangerous = regexp.MustCompile(`(?m)[\x00-\x08\x0b-\x1f\x7f\x{80}-\x{9f}\x{2028}-\x{202e}]|^\s*::(set-output|error::)|##[a-z]*\[|section_start:`)

// escaped is how some of it is told.
var escaped = regexp.MustCompile(`\\(u001b|x1b|e)\[1A`)

// patch merges a status or an object.
func (s *space) patch(resource, name, sub string, value map[string]any) {
	s.Helper()
	body, err := json.Marshal(value)
	must(s.TB, err)
	request := s.client.AppsV1().RESTClient().Patch(types.MergePatchType).Namespace(s.name).Resource(resource).Name(name)
	if sub != "" {
		request = request.SubResource(sub)
	}
	must(s.TB, request.Body(body).Do(s.Context()).Error())
}

// Whatever is written on objects, it reaches neither a terminal nor a CI runner as it is.
func TestTextOfOthersIsEscaped(t *testing.T) {
	w := newWeb(t, replicas(1))
	cause := map[string]any{"metadata": map[string]any{"annotations": map[string]any{"kubernetes.io/change-cause": evil}}}
	w.patch("deployments", "web", "", cause)
	w.kubectl("create", "configmap", "settings", "--from-literal=color=blue")
	w.plugin("config", "attach", "deployment/web", "--env-from-config-key", "COLOR=settings:color", "--steps", "100%").ends(0)
	w.settings(map[string]string{"color": evil})
	w.plugin("restart", "--config", "settings", "--steps", "100%").ends(0)
	w.patch("deployments", "web", "", cause)
	w.kubectl("annotate", "replicaset", "--all", "--overwrite", "kubernetes.io/change-cause="+strings.ReplaceAll(evil, "\x00", ""))
	w.settings(map[string]string{"color": "green"})
	w.evilPod()
	telling := map[string]bool{}
	for _, command := range [][]string{
		{"history", "deployment/web"},
		{"history", "deployment/web", "--revision", "2"},
		{"history", "deployment/web", "-o", "wide"},
		{"history", "deployment/web", "-o", "yaml"},
		{"history", "deployment/web", "-o", "json"},
		{"history", "deployment/web", "-o", "jsonpath={.changeCause}"},
		{"diff", "deployment/web"},
		{"config", "diff", "settings"},
		{"config", "history", "settings"},
		{"config", "set", "settings", "color=red", "--dry-run=client"},
		{"explain", "deployment/stuck"},
		{"explain", "deployment/stuck", "-o", "json"},
		{"status", "deployment/stuck", "--timeout", "2s"},
		{"status", "deployment/stuck", "--watch=false", "-o", "json"},
		{"check", "deployment/stuck"},
		{"start", "deployment/web", "--image", "app=" + evil},
		{"history", "deployment/" + evil},
		{"no\x1b[1A\r::error::such"},
	} {
		for _, variables := range [][]string{nil, {"GITHUB_ACTIONS=true", "CLICOLOR_FORCE=1"}} {
			p := w.beginWith(variables, append([]string{"rollout-plus"}, command...)...)
			p.code()
			if escaped.MatchString(p.output()) {
				telling[command[0]] = true
			}
			for _, told := range []string{p.out.String(), p.errOut.String()} {
				told = regexp.MustCompile("\x1b\\[[0-9;]{1,5}m").ReplaceAllString(told, "")
				if found := dangerous.FindString(told); found != "" {
					t.Errorf("%q tells %q in\n%q", command, found, told)
				}
			}
		}
	}
	for _, command := range []string{"history", "diff", "config", "explain", "status", "start"} {
		if !telling[command] {
			t.Errorf("%s tells nothing of others, so that it proves nothing", command)
		}
	}
	var list struct{ ChangeCause string }
	must(t, json.Unmarshal([]byte(w.plugin("history", "deployment/web", "--revision", "2", "-o", "json").ends(0).out.String()), &list))
	if list.ChangeCause != evil {
		t.Errorf("a program reads the cause as %q", list.ChangeCause)
	}
}

// evilPod has a Deployment whose one pod fails and tells why.
func (s *space) evilPod() {
	s.Helper()
	s.kubectl("create", "deployment", "stuck", "--image", "web:v1")
	s.kubectl("rollout", "status", "deployment/stuck")
	pods, err := s.client.CoreV1().Pods(s.name).List(s.Context(), metav1.ListOptions{LabelSelector: "app=stuck"})
	must(s.TB, err)
	pod := &pods.Items[0]
	s.report(pod.Name, func(pod *corev1.Pod) {
		pod.Status.Phase = "Running"
		for i := range pod.Status.Conditions {
			c := &pod.Status.Conditions[i]
			c.Status, c.Message, c.Reason = "False", evil, "ContainersNotReady"
		}
		for i := range pod.Status.ContainerStatuses {
			c := &pod.Status.ContainerStatuses[i]
			c.Ready, c.State.Running, c.State.Terminated = false, nil, nil
			c.State.Waiting = &corev1.ContainerStateWaiting{Reason: "CreateContainerError", Message: evil}
		}
	})
	_, err = s.client.CoreV1().Events(s.name).Create(s.Context(), &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: "evil", Namespace: s.name},
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: s.name, Name: pod.Name, UID: pod.UID},
		Type:           corev1.EventTypeWarning, Reason: "Failed", Message: evil, LastTimestamp: metav1.Now(),
	}, metav1.CreateOptions{})
	must(s.TB, err)
}
