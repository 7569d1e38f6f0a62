/**
 * Our conformance suite: a client that knows nothing of the engine, and for each case the one right
 * course of events.
 */
@org.jspecify.annotations.NullMarked
package dev.windhover.verification.conformance;
