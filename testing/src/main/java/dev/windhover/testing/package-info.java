/**
 * Tests without a network: {@link dev.windhover.testing.TestHost} runs an application, {@link
 * dev.windhover.testing.TestRequest} asks it, {@link dev.windhover.testing.TestWebSocket} is the
 * other end of a socket, {@link dev.windhover.testing.HandClock} is the time.
 */
package dev.windhover.testing;
