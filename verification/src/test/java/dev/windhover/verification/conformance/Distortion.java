package dev.windhover.verification.conformance;

import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Http2Wire.Http2Frame;
import dev.windhover.verification.wire.Proxy;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** Turns a correct server into a wrong one by altering some of its output. */
interface Distortion {
  /** Alters a connection's bytes, from the first on. */
  void alter(DataInputStream in, OutputStream out) throws IOException;

  /** Whether the server's end is passed on. */
  default boolean ends() {
    return true;
  }

  /** Stands before a server, and alters all its words. */
  default Proxy before(int server) throws IOException {
    return new Proxy(server, Distortion::forward, this::back);
  }

  private static void forward(Socket client, Socket upstream) throws IOException {
    try {
      client.getInputStream().transferTo(upstream.getOutputStream());
      upstream.shutdownOutput();
    } catch (IOException e) {
      reset(upstream);
    }
  }

  private void back(Socket upstream, Socket client) throws IOException {
    try {
      alter(
          new DataInputStream(new BufferedInputStream(upstream.getInputStream())),
          client.getOutputStream());
      if (ends()) {
        client.shutdownOutput();
      }
    } catch (IOException e) {
      if (ends()) {
        reset(client);
      }
    }
  }

  private static void reset(Socket socket) throws IOException {
    socket.setSoLinger(true, 0);
    socket.close();
  }

  /** Of the frames behind an opening handshake over HTTP/1.1. */
  enum OfWebSockets implements Distortion {
    /** Messages and Pongs have another last byte, or one that should not be there. */
    PAYLOADS {
      @Override
      List<Frame> altered(Frame frame) {
        return List.of(isClose(frame) ? frame : new Frame(frame.first(), other(frame.payload())));
      }
    },

    /** A Close has another code. */
    CODES {
      @Override
      List<Frame> altered(Frame frame) {
        return List.of(isClose(frame) ? Frame.close(code(frame) ^ 1, "") : frame);
      }

      private static int code(Frame close) {
        return close.payload().length == 0 ? 1000 : ByteBuffer.wrap(close.payload()).getShort();
      }
    },

    /** Before a Close comes a Pong that nobody asked for. */
    PONGS {
      @Override
      List<Frame> altered(Frame frame) {
        return isClose(frame) ? List.of(Frame.pong(""), frame) : List.of(frame);
      }
    },

    /** There is no Close. */
    NO_CLOSE {
      @Override
      List<Frame> altered(Frame frame) {
        return isClose(frame) ? List.of() : List.of(frame);
      }
    },

    /** The connection does not end. */
    NO_END {
      @Override
      public boolean ends() {
        return false;
      }
    },

    /** Every answer to a request has another status. */
    STATUS {
      @Override
      String head(String head) {
        return head.replaceFirst(" \\d+", " 299");
      }
    };

    private static final String UPGRADED = "HTTP/1.1 101 ";

    List<Frame> altered(Frame frame) {
      return List.of(frame);
    }

    String head(String head) {
      return head;
    }

    @Override
    public void alter(DataInputStream in, OutputStream out) throws IOException {
      String head = head(in);
      out.write(head(head).getBytes(StandardCharsets.ISO_8859_1));
      if (!head.startsWith(UPGRADED)) {
        in.transferTo(out);
        return;
      }
      for (in.mark(1); in.read() >= 0; in.mark(1)) {
        in.reset();
        for (Frame frame : altered(Frame.read(in))) {
          out.write(frame.unmasked());
        }
      }
    }

    private static String head(DataInputStream in) throws IOException {
      ByteArrayOutputStream head = new ByteArrayOutputStream();
      for (int b = in.read(); b >= 0; b = in.read()) {
        head.write(b);
        if (b == '\n' && head.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
          break;
        }
      }
      return head.toString(StandardCharsets.ISO_8859_1);
    }

    private static boolean isClose(Frame frame) {
      return frame.first() == 0x88;
    }
  }

  /** Of the frames of HTTP/2. */
  enum OfHttp2 implements Distortion {
    /** A stream or connection ends with another code. */
    CODES {
      @Override
      Http2Frame altered(Http2Frame frame) {
        int at = frame.type() == Http2Wire.GOAWAY ? 7 : 3;
        return frame.type() == Http2Wire.GOAWAY || frame.type() == Http2Wire.RST_STREAM
            ? with(frame, frame.flags(), flipped(frame.payload(), at, 0x40))
            : frame;
      }
    },

    /** Bodies have another last byte. */
    PAYLOADS {
      @Override
      Http2Frame altered(Http2Frame frame) {
        return frame.type() == Http2Wire.DATA && frame.payload().length > 0
            ? with(frame, frame.flags(), other(frame.payload()))
            : frame;
      }
    },

    /** A response ends with its head. */
    NO_BODY {
      @Override
      Http2Frame altered(Http2Frame frame) {
        return frame.type() == Http2Wire.HEADERS
            ? with(frame, frame.flags() | Http2Wire.END_STREAM, frame.payload())
            : frame;
      }
    },

    /** The connection does not end. */
    NO_END {
      @Override
      public boolean ends() {
        return false;
      }
    },

    /** What should be answered is reset. */
    RESET {
      @Override
      Http2Frame altered(Http2Frame frame) {
        return frame.type() == Http2Wire.HEADERS
            ? new Http2Frame(Http2Wire.RST_STREAM, 0, frame.stream(), new byte[4])
            : frame;
      }
    };

    Http2Frame altered(Http2Frame frame) {
      return frame;
    }

    private static Http2Frame with(Http2Frame frame, int flags, byte[] payload) {
      return new Http2Frame(frame.type(), flags, frame.stream(), payload);
    }

    @Override
    public void alter(DataInputStream in, OutputStream out) throws IOException {
      for (int first = in.read(); first >= 0; first = in.read()) {
        out.write(altered(Http2Frame.read(first, in)).bytes());
      }
    }
  }

  /** Returns other bytes than these. */
  private static byte[] other(byte[] bytes) {
    return bytes.length == 0 ? new byte[1] : flipped(bytes, bytes.length - 1, 1);
  }

  private static byte[] flipped(byte[] bytes, int at, int bits) {
    byte[] others = Arrays.copyOf(bytes, bytes.length);
    others[at] ^= (byte) bits;
    return others;
  }
}
