package dev.windhover.websocket.deflate;

import dev.windhover.protocol.deflate.DeflateCodec;

/** A program that says whether it may use the system's zlib. */
final class WhichCodec {
  private WhichCodec() {}

  public static void main(String[] args) {
    boolean jdk = NativeDeflateCodec.orJdk(8).equals(DeflateCodec.jdk());
    System.out.println(jdk ? "the JDK's" : "the system's");
  }
}
