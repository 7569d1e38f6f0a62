/**
 * Files as answers: {@link dev.windhover.http.files.StaticFiles} finds them, and knows their tags,
 * conditions, ranges and compressed variants.
 */
package dev.windhover.http.files;
