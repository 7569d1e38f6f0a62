/** A client in memory for tests of hubs. */
package dev.windhover.hubs.testing;
