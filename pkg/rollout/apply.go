package rollout

import (
	"context"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
)

// apply makes a server-side apply of a manifest, as kubectl apply --server-side does.
func (s *session) apply(ctx context.Context, manifest *unstructured.Unstructured, force, dryRun bool) (*unstructured.Unstructured, error) {
	body, err := manifest.MarshalJSON()
	if err != nil {
		return nil, err
	}
	options := s.patchOptions(dryRun)
	options.Force, options.FieldValidation = &force, metav1.FieldValidationStrict
	result := s.Client.AppsV1().RESTClient().Patch(types.ApplyPatchType).Namespace(s.key.Namespace).Resource(strings.ToLower(s.kind)+"s").
		Name(s.key.Name).VersionedParams(&options, metav1.ParameterCodec).SetHeader("Accept", "application/json").Body(body).Do(ctx)
	// Only Error decodes the details of a refusal, such as the fields in conflict.
	if err := result.Error(); err != nil {
		return nil, kube.Answered(err)
	}
	answer, err := result.Raw()
	if err != nil {
		return nil, kube.Answered(err)
	}
	applied := &unstructured.Unstructured{}
	return applied, applied.UnmarshalJSON(answer)
}
