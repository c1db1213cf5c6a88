package rollout

import (
	"context"
	"encoding/json"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
)

// getRaw reads an object of apps/v1 as the API server holds it. resource is the plural, such as "deployments".
func getRaw(ctx context.Context, client kubernetes.Interface, resource, namespace, name string) (*unstructured.Unstructured, error) {
	result := client.AppsV1().RESTClient().Get().Namespace(namespace).Resource(resource).Name(name).
		SetHeader("Accept", "application/json").Do(ctx)
	if err := result.Error(); err != nil {
		return nil, answered(err)
	}
	body, err := result.Raw()
	if err != nil {
		return nil, answered(err)
	}
	object := &unstructured.Unstructured{}
	return object, answered(object.UnmarshalJSON(body))
}

func typedDeployment(object *unstructured.Unstructured) (*appsv1.Deployment, error) {
	body, err := object.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var d appsv1.Deployment
	return &d, json.Unmarshal(body, &d)
}
