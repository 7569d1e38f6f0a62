/**
 * The WebSocket engine, in the order of the wire.
 *
 * <p>{@link dev.windhover.protocol.FrameReader} takes the bytes that arrive and says what they
 * mean; {@link dev.windhover.protocol.FrameWriter} puts frames into a buffer; {@link
 * dev.windhover.protocol.WebSocketState} is the table of states; {@link
 * dev.windhover.protocol.Violation} lists every fault of a peer, with its close code and its text.
 */
package dev.windhover.protocol;
