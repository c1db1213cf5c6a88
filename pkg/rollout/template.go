package rollout

import (
	"encoding/json"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func typedDeployment(object *unstructured.Unstructured) (*appsv1.Deployment, error) {
	body, err := object.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var d appsv1.Deployment
	return &d, json.Unmarshal(body, &d)
}
