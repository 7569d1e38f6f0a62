/** Start with {@link dev.windhover.app.WebApplication}. */
package dev.windhover.app;
