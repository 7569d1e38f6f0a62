/**
 * What a module implements that brings another codec for permessage-deflate, as {@code
 * windhover-zlib} does. Exported to all, so that it may stand on the class path while Windhover
 * stands on the module path. Applications do not need it.
 */
package dev.windhover.protocol.spi;
