package app

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"
)

func (env *environment) awaitOne(ctx context.Context, info *resource.Info) error {
	engine, err := env.engine(defaultFieldManager, nil)
	if err != nil {
		return err
	}
	return awaitComplete(ctx, engine, types.NamespacedName{Namespace: info.Namespace, Name: info.Name})
}
