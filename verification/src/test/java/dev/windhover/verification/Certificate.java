package dev.windhover.verification;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Assumptions;

/**
 * A self-signed certificate for 127.0.0.1 and localhost, made by the JDK's keytool.
 *
 * @param pkcs12 certificate and key under {@link #PASSWORD}
 */
public record Certificate(PrivateKey key, X509Certificate certificate, List<Byte> pkcs12) {
  /** The password of everything that has one. */
  public static final String PASSWORD = "correct horse";

  /** The certificate that most tests share. */
  public static final Certificate USUAL = valid("EC");

  /** Makes a valid certificate. */
  public static Certificate valid(String algorithm) {
    return make(algorithm, "-1d", 30);
  }

  /** Makes an expired certificate. */
  public static Certificate expired() {
    return make("EC", "-30d", 10);
  }

  private static Certificate make(String algorithm, String start, int days) {
    List<String> command = new ArrayList<>();
    try {
      Path folder = Files.createTempDirectory("windhover-certificate-");
      Path file = folder.resolve("made.p12");
      command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
      command.addAll(List.of("-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC")); // it is over soon
      for (String what : List.of("keyPbe", "certPbe", "mac")) { // else each server reads for 0.1 s
        command.add("-J-Dkeystore.pkcs12." + what + "IterationCount=1");
      }
      command.addAll(List.of("-genkeypair", "-alias", "it", "-keyalg", algorithm));
      switch (algorithm) { // a fraction of what the usual sizes cost
        case "EC" -> command.addAll(List.of("-groupname", "secp256r1"));
        case "RSA" -> command.addAll(List.of("-keysize", "2048"));
        default -> {} // there is one size
      }
      command.addAll(List.of("-dname", "CN=test " + System.nanoTime()));
      command.addAll(List.of("-startdate", start, "-validity", Integer.toString(days)));
      command.addAll(List.of("-ext", "SAN=dns:localhost,ip:127.0.0.1"));
      command.addAll(List.of("-storetype", "PKCS12", "-storepass", PASSWORD));
      command.addAll(List.of("-keystore", file.toString()));
      Process process = new ProcessBuilder(command).inheritIO().start();
      if (process.waitFor() != 0) {
        throw new AssertionError("keytool made no certificate");
      }
      byte[] bytes = Files.readAllBytes(file);
      Files.delete(file);
      Files.delete(folder);
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(new ByteArrayInputStream(bytes), PASSWORD.toCharArray());
      List<Byte> boxed = new ArrayList<>();
      for (byte b : bytes) {
        boxed.add(b);
      }
      return new Certificate(
          (PrivateKey) Objects.requireNonNull(store.getKey("it", PASSWORD.toCharArray())),
          (X509Certificate) Objects.requireNonNull(store.getCertificate("it")),
          List.copyOf(boxed));
    } catch (IOException | InterruptedException | GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  // ---- Files

  /** Writes the certificate as PEM. */
  public Path writeCertificate(Path file) throws IOException {
    try {
      return Files.writeString(file, pem("CERTIFICATE", certificate.getEncoded()));
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  /** Writes the key as PEM. */
  public Path writeKey(Path file) throws IOException {
    return Files.writeString(file, pem("PRIVATE KEY", key.getEncoded()));
  }

  /** Writes the key as PEM, under {@link #PASSWORD}; what the JDK encrypts it does not encode. */
  public Path writeEncryptedKey(Path file) throws IOException {
    Path plain = writeKey(file.resolveSibling("plain-" + file.getFileName()));
    List<String> command = new ArrayList<>(List.of("openssl", "pkcs8", "-topk8"));
    command.addAll(List.of("-in", plain.toString(), "-out", file.toString()));
    command.addAll(List.of("-passout", "pass:" + PASSWORD));
    try {
      assumeTrue(new ProcessBuilder(command).start().waitFor() == 0, "openssl fails");
    } catch (IOException | InterruptedException e) {
      Assumptions.abort("SKIPPED: openssl is not installed");
    }
    return file;
  }

  /** Writes both as PKCS#12, under {@link #PASSWORD}. */
  public Path writePkcs12(Path file) throws IOException {
    byte[] bytes = new byte[pkcs12.size()];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = pkcs12.get(i);
    }
    return Files.write(file, bytes);
  }

  private static String pem(String label, byte[] bytes) {
    String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes);
    return "-----BEGIN " + label + "-----\n" + base64 + "\n-----END " + label + "-----\n";
  }

  /** Returns what the JDK's clients need to trust it. */
  public SSLContext trust() throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    store.setCertificateEntry("it", certificate);
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, factory.getTrustManagers(), null);
    return context;
  }
}
