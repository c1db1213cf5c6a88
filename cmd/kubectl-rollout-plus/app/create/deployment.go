package create

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"k8s.io/kubectl/pkg/scheme"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/configuration"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/wait"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/attach"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

const createDeploymentExample = `  # A web server with a readiness probe and a Service
  kubectl rollout-plus create deployment web --image example.com/web:v1 \
    --replicas 3 --port 8080 --ready http:8080/healthz --service=80 --wait

  # With all keys of a ConfigMap as variables, and one as a file
  kubectl rollout-plus create deployment web --image example.com/web:v1 \
    --env-from-config web --mount-config web:app.conf=/config/app.conf

  # A manifest for git
  kubectl rollout-plus create deployment web --image example.com/web:v1 \
    --dry-run=client -o yaml

  # With arguments for the container
  kubectl rollout-plus create deployment worker --image example.com/worker:v1 \
    -- --queue jobs`

// createDeploymentFlags are the flags of create deployment as they were given.
type createDeploymentFlags struct {
	deploymentSpec
	configuration.WireFlags
	attached       []attach.Wire
	env            []string
	ready, service string
	drain          time.Duration
	// drained describes the preStop hook that the pods get.
	drained            string
	surge, unavailable string
	wait               bool
	cli.WaitFlags
	fieldManager string
	print        *genericclioptions.PrintFlags
}

func newCreateDeploymentCommand(env *cli.Env) *cobra.Command {
	f := &createDeploymentFlags{print: genericclioptions.NewPrintFlags("created").WithTypeSetter(scheme.Scheme)}
	cmd := &cobra.Command{
		Use:     "deployment NAME --image IMAGE [flags] [-- ARGS...]",
		Aliases: []string{"deploy"},
		Short:   "Create a Deployment, and a Service if wanted",
		Long: "Create a Deployment with limits for safe rolling updates: one pod above and one\n" +
			"below the replicas, or none below if there is a single replica.",
		Example: createDeploymentExample,
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), cmd, env, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.image, "image", "", "The container's image.")
	flags.Int32Var(&f.replicas, "replicas", 1, "The number of pods.")
	flags.Int32Var(&f.port, "port", 0, "The port that the container listens on.")
	flags.StringArrayVar(&f.env, "env", nil, "A variable of the container, as KEY=VALUE. May be repeated.")
	flags.StringVar(&f.ready, "ready", "", "The readiness probe: http:PORT/PATH or tcp:PORT.")
	flags.StringVar(&f.service, "service", "", "Also create a Service on this port; without a value, on --port.")
	flags.Lookup("service").NoOptDefVal = samePort
	flags.StringVar(&f.surge, "max-surge", "", `The most pods above --replicas in a rolling update. (default "1")`)
	flags.StringVar(&f.unavailable, "max-unavailable", "", `The most pods missing from --replicas in a rolling update. (default "1", with one replica "0")`)
	flags.StringVar(&f.cause, "change-cause", "", "The reason, kept as the first revision's kubernetes.io/change-cause.")
	flags.BoolVar(&f.wait, "wait", false, "Wait until all pods are available.")
	flags.DurationVar(&f.Timeout, "timeout", 0, "With --wait: how long to wait before ending with exit code 124; zero means no limit.")
	f.AddJudging(cmd)
	cmdutil.AddDryRunFlag(cmd)
	cmdutil.AddFieldManagerFlagVar(cmd, &f.fieldManager, cli.DefaultFieldManager)
	f.Add(cmd)
	flags.DurationVar(&f.drain, "drain", 0,
		`How long a pod goes on serving after it was told to end, by a preStop hook; 0 for no hook. (default with --service: 5s)`)
	f.print.AddFlags(cmd)
	return cmd
}

// defaultDrain is how long a pod behind a Service keeps serving after it was told to end. A node's proxy learns within
// about a second that a pod must get no further requests. A load balancer in front of the proxy takes longer.
const defaultDrain = 5 * time.Second

// samePort is the value of --service if none is given.
const samePort = "same"

// complete checks the flags and sets the typed values.
func (f *createDeploymentFlags) complete(cmd *cobra.Command, args []string) error {
	names, containerArgs := configuration.AtDash(cmd, args)
	if len(names) != 1 {
		return cli.UsageError(fmt.Errorf("exactly one NAME is required, got %d", len(names)))
	}
	f.name, f.args = names[0], containerArgs
	if errs := validation.IsDNS1123Subdomain(f.name); len(errs) > 0 {
		return cli.UsageError(fmt.Errorf("%q is not the name of a Deployment: %s", f.name, errs[0]))
	}
	if f.image == "" {
		return cli.UsageError(errors.New("--image is required"))
	}
	if image, err := cli.ParseImage(f.image); err != nil || image.Container != "" {
		return cli.FlagError("image", f.image, errors.New("it is not the name of an image"))
	}
	if f.replicas < 0 {
		return cli.FlagError("replicas", fmt.Sprint(f.replicas), cli.ErrNegative)
	}
	if err := f.Validate(); err != nil {
		return err
	}
	return f.completeValues(cmd)
}

func (f *createDeploymentFlags) completeValues(cmd *cobra.Command) error {
	var err error
	if f.attached, err = f.Wires(); err != nil {
		return err
	}
	if cmd.Flags().Changed("port") {
		if err := checkPort("port", f.port); err != nil {
			return err
		}
	}
	if err := f.completeVariables(); err != nil {
		return err
	}
	if f.probe, err = parseProbe(f.ready); err != nil {
		return cli.FlagError("ready", f.ready, err)
	}
	if f.maxSurge, f.maxUnavailable, err = cli.ParseLimits(f.surge, f.unavailable); err != nil {
		return err
	}
	if cli.IsZero(f.maxSurge) && (f.maxUnavailable == nil && f.replicas <= 1) {
		return cli.FlagError("max-surge", f.surge, errors.New(
			"with one replica none may be missing, so no pod could be replaced; give --max-unavailable 1 too"))
	}
	if f.servicePort, err = f.parseService(cmd); err != nil {
		return err
	}
	if f.servicePort > 0 && !cmd.Flags().Changed("drain") {
		f.drain = defaultDrain
	}
	return cli.CheckDrain(f.drain, 0)
}

func (f *createDeploymentFlags) completeVariables() error {
	for _, value := range f.env {
		variable, err := cli.ParseEnv(value)
		if err != nil || variable.Remove || variable.Container != "" {
			return cli.FlagError("env", value, errors.New("expected KEY=VALUE"))
		}
		f.variables = append(f.variables, corev1.EnvVar{Name: variable.Name, Value: variable.Value})
	}
	return nil
}

func (f *createDeploymentFlags) parseService(cmd *cobra.Command) (int32, error) {
	switch {
	case !cmd.Flags().Changed("service"):
		return 0, nil
	case f.service == samePort && f.port == 0:
		return 0, cli.UsageError(errors.New("--service needs a port: give --service=PORT or --port"))
	case f.service == samePort:
		return f.port, nil
	}
	port, err := parsePort(f.service)
	if err != nil {
		return 0, cli.FlagError("service", f.service, err)
	}
	return port, nil
}

func (f *createDeploymentFlags) run(ctx context.Context, cmd *cobra.Command, env *cli.Env, args []string) error {
	if err := f.complete(cmd, args); err != nil {
		return err
	}
	strategy, err := cmdutil.GetDryRunStrategy(cmd)
	if err != nil {
		return cli.UsageError(err)
	}
	namespace, explicit, err := env.Factory.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return err
	}
	cmdutil.PrintFlagsWithDryRunStrategy(f.print, strategy)
	printer, err := f.print.ToPrinter()
	if err != nil {
		return cli.UsageError(err)
	}
	objects, err := f.objects()
	if err != nil {
		return err
	}
	if explicit {
		for _, object := range objects {
			object.SetNamespace(namespace)
		}
	}
	if strategy != cmdutil.DryRunClient {
		asked := objects
		if objects, err = f.write(ctx, env, namespace, objects, strategy == cmdutil.DryRunServer); err != nil {
			return err
		}
		tellOtherwise(env, asked, objects)
	}
	if f.drained != "" {
		fmt.Fprintf(env.ErrOut, "deployment %q: %s\n", f.name, f.drained)
	}
	if err := printCreated(env.Out, printer, objects, strategy == cmdutil.DryRunClient); err != nil {
		return err
	}
	if !f.wait || strategy != cmdutil.DryRunNone {
		return nil
	}
	return wait.AwaitOne(ctx, env, f.WaitFlags, types.NamespacedName{Namespace: namespace, Name: f.name})
}

type object interface {
	runtime.Object
	metav1.Object
}

// objects returns the objects to create.
func (f *createDeploymentFlags) objects() ([]object, error) {
	d := f.deployment()
	err := editTemplate(d, func(template map[string]any) error {
		if f.drain > 0 {
			f.drained = rollout.AddDrain(template, f.drain).String() + "; --drain 0 for none"
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := f.attach(d); err != nil {
		return nil, err
	}
	objects := []object{d}
	if f.servicePort > 0 {
		objects = append(objects, f.deploymentSpec.service())
	}
	return objects, nil
}

// create creates the objects. Before it creates the first, it tries all of them in a dry run. It skips that for a single
// object, and if the caller has tried them already.
func (f *createDeploymentFlags) create(ctx context.Context, client kubernetes.Interface, namespace string, objects []object,
	dryRun bool,
) ([]object, error) {
	options := metav1.CreateOptions{FieldManager: f.fieldManager, FieldValidation: metav1.FieldValidationStrict}
	try := options
	try.DryRun = []string{metav1.DryRunAll}
	rounds := []metav1.CreateOptions{options}
	if dryRun {
		rounds = []metav1.CreateOptions{try}
	} else if len(objects) > 1 && len(f.attached) == 0 {
		rounds = []metav1.CreateOptions{try, options}
	}
	var created []object
	for _, round := range rounds {
		created = nil
		for _, wanted := range objects {
			made, err := createOne(ctx, client, namespace, wanted, round)
			if err != nil {
				return nil, fmt.Errorf("failed to create: %w", err)
			}
			created = append(created, made)
		}
	}
	return created, nil
}

func createOne(ctx context.Context, client kubernetes.Interface, namespace string, wanted object, options metav1.CreateOptions) (object, error) {
	switch o := wanted.(type) {
	case *appsv1.Deployment:
		return client.AppsV1().Deployments(namespace).Create(ctx, o, options)
	case *corev1.Service:
		return client.CoreV1().Services(namespace).Create(ctx, o, options)
	}
	return nil, fmt.Errorf("cannot create a %T", wanted)
}
