package dev.windhover.websocket;

import dev.windhover.http.websocket.WebSocketClosedException;
import dev.windhover.protocol.CloseCode;
import dev.windhover.protocol.CloseReason;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the end of a handler, or the failure of a listener, means for its socket. Any thread. */
final class HandlerEnd {
  private static final Logger log = LoggerFactory.getLogger(Session.class);

  private final Session session;
  private final SendQueue out;

  HandlerEnd(Session session) {
    this.session = session;
    this.out = session.out();
  }

  /** The handler of the blocking form has ended. */
  void ended(@Nullable Throwable failure, Inbound in) {
    in.discard(); // a Close or a violation that waits takes effect with this
    if (failure == null || isOwnEnd(failure)) {
      if (out.hasUnfinishedMessage()) {
        close(CloseCode.INTERNAL_ERROR, "a message was not finished");
      } else {
        session.answerClose();
        close(CloseCode.NORMAL_CLOSURE, "");
      }
    } else {
      failed("handler", failure);
    }
  }

  void listenerFailed(Throwable failure, Inbound in) {
    if (!isOwnEnd(failure)) {
      failed("listener", failure);
    }
    in.discard();
  }

  /** A message writer was closed before its message was finished. */
  void messageAbandoned() {
    close(CloseCode.INTERNAL_ERROR, "a message was not finished");
  }

  /**
   * Returns whether {@code failure}, or that of a task which the handler waited for, says that this
   * socket has ended; another's is a failure.
   */
  private boolean isOwnEnd(Throwable failure) {
    boolean ofTask =
        failure instanceof ExecutionException || failure instanceof CompletionException;
    Throwable cause = ofTask ? failure.getCause() : failure;
    return cause instanceof WebSocketClosedException && !out.state().canSend();
  }

  private void failed(String what, Throwable failure) {
    boolean gone = out.state().isTerminal();
    if (gone && failure instanceof InterruptedException) {
      log.debug("{} of request {} was interrupted after its socket ended", what, session.id());
    } else {
      log.error("{} of request {} failed", what, session.id(), failure);
      session.tellFailed(failure);
    }
    close(CloseCode.INTERNAL_ERROR, "");
  }

  private void close(int code, String text) {
    CloseReason reason = new CloseReason(code, text);
    if (out.state().canSend()) {
      boolean failed = code == CloseCode.INTERNAL_ERROR;
      session.blameApplication(reason, failed ? "the handler failed" : "the handler ended");
      session.closeOutput(reason, failed && out.hasUnfinishedMessage());
    }
  }
}
