//go:build bench

package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"
)

const (
	workloads      = 1000
	affectedRounds = 3
	affectedLimit  = 3 * time.Second
	// pageSize is that of client-go's pager.
	pageSize = 500
)

// TestAffected measures config affected over many workloads: their number may cost pages, but no request each.
func TestAffected(t *testing.T) {
	b := newBed(t, "affected")
	b.kubectl("create", "configmap", "web", "--from-literal=color=blue", "--from-literal=motd=hi")
	b.populate(workloads)
	var took []time.Duration
	for round := range affectedRounds + 1 {
		began := time.Now()
		out := b.output("kubectl", "rollout-plus", "config", "affected", "web", "color=red", "-n", b.namespace)
		if round > 0 { // the first round warms up
			took = append(took, time.Since(began))
		}
		if n := strings.Count(out, " restart "); n != workloads/2 {
			t.Fatalf("%d workloads to restart, not %d", n, workloads/2)
		}
	}
	counted := b.counting(func(kubeconfig string) {
		b.kubectl("rollout-plus", "config", "affected", "web", "color=red", "--kubeconfig", kubeconfig)
	})
	t.Logf("%d workloads: median %.2f s (all %v), %d reads, %d writes", workloads, median(took).Seconds(), took, counted.reads(), counted.writes())
	if median(took) > affectedLimit {
		t.Errorf("%v, the limit is %v", median(took), affectedLimit)
	}
	// The ConfigMap and eight kinds, two of which have a further page: the Deployments and their ReplicaSets.
	if limit := 1 + 8 + 2*(workloads/pageSize-1); counted.reads() > limit || counted.writes() > 0 {
		t.Errorf("%d reads and %d writes, the limit is %d reads", counted.reads(), counted.writes(), limit)
	}
}

// populate makes Deployments without pods. One half has a key in its environment, the other one another as a file.
func (b *bed) populate(n int) {
	b.t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		b.t.Fatal(err)
	}
	config.QPS, config.Burst = 200, 400
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		b.t.Fatal(err)
	}
	numbers := make(chan int)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range numbers {
				_, err := client.AppsV1().Deployments(b.namespace).Create(b.t.Context(), referring(i), metav1.CreateOptions{})
				if err != nil {
					b.t.Error(err)
				}
			}
		})
	}
	for i := range n {
		numbers <- i
	}
	close(numbers)
	group.Wait()
	b.kubectl("wait", "deployment", "--all", "--for=jsonpath={.status.observedGeneration}=1", "--timeout=120s")
}

func referring(i int) *appsv1.Deployment {
	labels := map[string]string{"app": fmt.Sprintf("reader-%d", i)}
	web := corev1.LocalObjectReference{Name: "web"}
	container := corev1.Container{Name: "app", Image: "pause:1", Args: []string{"--color=$(COLOR)"}}
	spec := corev1.PodSpec{}
	if i%2 == 0 {
		container.Env = []corev1.EnvVar{{Name: "COLOR", ValueFrom: &corev1.EnvVarSource{
			ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: web, Key: "color"},
		}}}
	} else {
		container.VolumeMounts = []corev1.VolumeMount{{Name: "v", MountPath: "/etc/app"}}
		spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: web, Items: []corev1.KeyToPath{{Key: "motd", Path: "motd"}},
		}}}}
	}
	spec.Containers = []corev1.Container{container}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: labels["app"]},
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To[int32](0), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: spec},
		},
	}
}

// output runs a program and gives what it writes to standard output.
func (b *bed) output(program string, args ...string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, args...).Output()
	if err != nil {
		b.t.Fatalf("%s %s: %v", program, strings.Join(args, " "), err)
	}
	return string(out)
}
