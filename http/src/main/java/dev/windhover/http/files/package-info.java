/**
 * Static files: {@link dev.windhover.http.files.StaticFiles} finds and serves them, with tags,
 * conditions, ranges and compressed variants.
 */
package dev.windhover.http.files;
