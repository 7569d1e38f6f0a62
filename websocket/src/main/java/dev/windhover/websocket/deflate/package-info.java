/**
 * permessage-deflate for the sockets of a server: what one socket holds, the memory that all of
 * them share, and the system's zlib. Not exported.
 */
package dev.windhover.websocket.deflate;
