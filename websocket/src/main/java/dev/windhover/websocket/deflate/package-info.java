/**
 * permessage-deflate for the sockets of a server: what one socket holds, and the memory that all of
 * them share. Not exported.
 */
package dev.windhover.websocket.deflate;
