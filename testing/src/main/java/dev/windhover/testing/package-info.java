/**
 * Tests an application without a port: a host and clients in memory, which run the real pipeline,
 * opening handshake and frames, and a clock that the test moves. It needs no test framework and
 * works with any, for example JUnit and AssertJ.
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
 * <p>{@link dev.windhover.testing.TestHost} runs an application, and a {@link
 * dev.windhover.testing.TestRequest} is sent to it. {@link dev.windhover.testing.TestWebSocket} is
 * the other end of a socket, message by message, and {@link dev.windhover.testing.TestFrames} is
 * the same, frame by frame; {@link dev.windhover.testing.TestConnection} has the faults of both.
 * Methods named {@code receive…} return what came, and methods named {@code expect…} fail if
 * something else came.
 */
package dev.windhover.testing;
