/**
 * What hubs ask of a backplane, and it of them: the seam for those who carry messages between the
 * servers of a hub. Applications only choose an implementation.
 */
package dev.windhover.hubs.backplane;
