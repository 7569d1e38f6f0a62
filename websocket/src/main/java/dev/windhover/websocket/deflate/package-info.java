/** The system's zlib, for permessage-deflate. Not exported. */
package dev.windhover.websocket.deflate;
