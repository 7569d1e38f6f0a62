/**
 * The engine, in the order of the wire.
 *
 * <p>{@link dev.windhover.protocol.FrameReader} is handed the bytes that came and says what they
 * mean; {@link dev.windhover.protocol.FrameWriter} puts frames into a buffer; {@link
 * dev.windhover.protocol.WebSocketState} is the table of states; {@link
 * dev.windhover.protocol.Violation} lists every fault of a peer with its close code and its words.
 */
package dev.windhover.protocol;
