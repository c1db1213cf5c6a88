package rollout

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
)

// volumes holds the claims of the few pods that wait for a node, and the error of the last read.
type volumes struct {
	read map[string]*corev1.PersistentVolumeClaim
	err  error
}

// claims returns the known claims. unknown means that claims cannot be read.
func (v *volumes) claims() (all []*corev1.PersistentVolumeClaim, unknown bool) {
	for _, claim := range v.read {
		all = append(all, claim)
	}
	return all, v.err != nil
}

// askVolumes reads the claims of a pod, and keeps them.
func (s *session) askVolumes(ctx context.Context, pod *corev1.Pod) {
	v := &s.eventReader.volumes
	for _, name := range diagnose.ClaimsOf(pod) {
		claim, err := s.claim(ctx, pod.Namespace, name)
		if v.err = err; err != nil || claim == nil {
			delete(v.read, name)
			continue
		}
		if v.read == nil {
			v.read = map[string]*corev1.PersistentVolumeClaim{}
		}
		v.read[name] = claim
	}
}

// readClaims adds the claims of a pod to the input of a diagnosis.
func (e *Engine) readClaims(ctx context.Context, pod *corev1.Pod, in *diagnose.Input) {
	for _, name := range diagnose.ClaimsOf(pod) {
		claim, err := e.claim(ctx, pod.Namespace, name)
		switch {
		case err != nil:
			in.NoClaims = true
		case claim != nil:
			in.Claims = append(in.Claims, claim)
		}
	}
}

// claim reads a claim. It returns nil if the claim does not exist.
func (e *Engine) claim(ctx context.Context, namespace, name string) (*corev1.PersistentVolumeClaim, error) {
	claim, err := e.Client.CoreV1().PersistentVolumeClaims(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return claim, err
}
