/** See {@link dev.windhover.zlib.ZlibProvider}. */
package dev.windhover.zlib;
