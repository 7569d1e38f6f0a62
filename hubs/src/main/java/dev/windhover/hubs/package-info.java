/** Hubs: methods that clients call, and clients that the server calls. */
package dev.windhover.hubs;
