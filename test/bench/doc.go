// Package bench measures the plugin against kubectl on the local cluster: `make bench`. It is built with the tag bench.
package bench
