/** See {@link dev.windhover.zlib.ZlibProvider}. */
@org.jspecify.annotations.NullMarked
package dev.windhover.zlib;
