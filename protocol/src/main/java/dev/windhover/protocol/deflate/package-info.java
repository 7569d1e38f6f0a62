/**
 * permessage-deflate (RFC 7692), the one {@link dev.windhover.protocol.Extension} that we speak:
 * what both ends agree on, and the streams that compress and decompress messages. For Windhover's
 * own modules.
 */
package dev.windhover.protocol.deflate;
