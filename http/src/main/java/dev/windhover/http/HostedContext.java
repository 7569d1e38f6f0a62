package dev.windhover.http;

import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.HostContext;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.MemoryBudget;
import dev.windhover.http.host.Takeover;
import dev.windhover.http.host.Upgrade;
import dev.windhover.http.websocket.WebSocketManager;
import java.net.InetAddress;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A request's context, with the part that only hosts and engines see. */
final class HostedContext extends HttpContext implements HostContext {
  private @Nullable WebSocketManager webSockets;
  private @Nullable Takeover takeover;

  HostedContext(
      Application application, Exchange exchange, RequestTarget target, Router.Match<?> match) {
    super(application, exchange, target, match);
  }

  @Override
  public WebSocketManager webSockets() {
    WebSocketManager manager = webSockets;
    if (manager == null) {
      manager = new NoWebSockets(request());
      webSockets = manager;
    }
    return manager;
  }

  @Override
  public void webSockets(WebSocketManager manager) {
    webSockets = Objects.requireNonNull(manager);
  }

  @Override
  public boolean hasWebSockets() {
    return webSockets != null && !(webSockets instanceof NoWebSockets);
  }

  @Override
  public void onBehalfOf(InetAddress client) {
    try {
      exchange().onBehalfOf(client);
    } catch (HttpException tooMany) {
      application().events().limitReached(this, Limit.CONNECTIONS_PER_ADDRESS);
      throw tooMany;
    }
  }

  @Override
  public Loop loop() {
    return exchange().loop();
  }

  @Override
  public MemoryBudget memory() {
    return exchange().memory();
  }

  @Override
  public @Nullable Upgrade upgrade() {
    return exchange().upgrade();
  }

  @Override
  public int upgradeStatus() {
    Upgrade upgrade = upgrade();
    return upgrade != null && upgrade.isExtendedConnect() ? response().connectStatus() : 101;
  }

  @Override
  public void takeOver(Takeover takeover) {
    response().upgraded(upgradeStatus());
    this.takeover = takeover;
  }

  @Override
  public boolean isUpgraded() {
    return takeover != null;
  }

  @Override
  public boolean isUnanswered() {
    return route() != null && takeover == null && response().isUntouched();
  }

  @Override
  @Nullable Takeover takeover() {
    return takeover;
  }
}
