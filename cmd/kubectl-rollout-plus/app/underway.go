package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// pileTimeout is how long a restart waits for a rollout that is about to end.
const pileTimeout = 5 * time.Second

// refuseToPile gives an error where a rollout of another version is under way and does not end soon.
func (env *environment) refuseToPile(ctx context.Context, info *resource.Info) error {
	engine, err := env.engine(defaultFieldManager, nil)
	if err != nil {
		return err
	}
	if mayBeOpen(info) {
		key := types.NamespacedName{Namespace: info.Namespace, Name: info.Name}
		if err := engine.Opened(ctx, key); !errors.Is(err, rollout.ErrNoRollout) {
			if err != nil {
				return err
			}
			return fmt.Errorf("a stepwise rollout of deployment %q is under way; %s goes on, %s goes back, and --force restarts it all the same",
				info.Name, command("resume", key), command("abort", key))
		}
	}
	busy, err := engine.UnderWay(ctx, info.Object)
	if err != nil || !busy {
		return err
	}
	err = waitWhile(ctx, info, func(object runtime.Object) (bool, error) { return engine.UnderWay(ctx, object) })
	if err == nil || ctx.Err() != nil {
		return context.Cause(ctx)
	}
	name := strings.ToLower(info.Mapping.GroupVersionKind.Kind) + "/" + info.Name
	return fmt.Errorf("a rollout of %s is under way; wait for it with '%s status %s -n %s', or restart it all the same with --force",
		name, displayName, name, info.Namespace)
}

// waitWhile waits until something is so no more of an object, but not for long.
func waitWhile(ctx context.Context, info *resource.Info, is func(runtime.Object) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, pileTimeout)
	defer cancel()
	only := cache.NewFilteredListWatchFromClient(info.Client, info.Mapping.Resource.Resource, info.Namespace, func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, info.Name).String()
	})
	_, err := watchtools.UntilWithSync(ctx, only, info.Object, nil, func(event watch.Event) (bool, error) {
		if event.Type != watch.Added && event.Type != watch.Modified {
			return false, nil
		}
		still, err := is(event.Object)
		return !still, err
	})
	return err
}
