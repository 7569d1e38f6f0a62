/** {@link dev.windhover.app.WebApplication}: begin here. */
package dev.windhover.app;
