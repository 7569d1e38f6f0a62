/**
 * Tests of an application without a port: a host and clients in memory that run the real pipeline,
 * opening handshake and frames, and a clock that the test moves. Needs no test framework; JUnit and
 * AssertJ are welcome.
 *
 * <pre>{@code
 * @Test
 * void aClientThatIsGoneIsDropped() {
 *   try (TestHost host = TestHost.start(Chat.create())) { // the application that runs in production
 *     TestWebSocket client = host.webSocket("/chat").connect();
 *     client.sendText("hello");
 *     client.expectText("hello");
 *
 *     TestFrames silent = host.webSocket("/chat").connect().frames(); // it answers no Ping
 *     host.clock().advance(Duration.ofMinutes(2)); // keepAliveInterval
 *     silent.expectPing();
 *     host.clock().advance(Duration.ofSeconds(20)); // keepAliveTimeout
 *     silent.expectReset();
 *
 *     client.close();
 *   } // fails if a handler failed, or anything came that nobody received
 * }
 * }</pre>
 *
 * <p>{@link dev.windhover.testing.TestHost} runs an application, {@link
 * dev.windhover.testing.TestRequest} asks it. {@link dev.windhover.testing.TestWebSocket} is the
 * other end of a socket, message by message, {@link dev.windhover.testing.TestFrames} the same
 * frame by frame; {@link dev.windhover.testing.TestConnection} has the faults of both. What is
 * named {@code receive…} returns what came, {@code expect…} fails if it is not what was expected.
 */
package dev.windhover.testing;
