// Package configmap describes ConfigMaps and Secrets as values: what they hold, their versions, and which pod templates
// reference them. It is pure.
package configmap
