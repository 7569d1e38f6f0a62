/**
 * What hubs and their clients say to each other, in JSON and in MessagePack: messages, their bytes,
 * and the values in them. No thread, no clock, no socket.
 */
package dev.windhover.hubs.protocol;
