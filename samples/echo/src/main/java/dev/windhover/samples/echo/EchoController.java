package dev.windhover.samples.echo;

import dev.windhover.http.HttpContext;
import dev.windhover.http.Route;

/** The message loop in a controller. */
@Route("/ws")
final class EchoController {
  @Route("/controller")
  public void echo(HttpContext context) throws Exception {
    Echo.echoMessages(context.webSockets().accept(Echo.SETTINGS));
  }
}
