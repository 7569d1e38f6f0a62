package dev.windhover.app;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A self-signed certificate for the local machine, which no client trusts until its user tells it
 * to. The JDK's keytool makes it on first use, and again when it is about to expire, in a folder
 * that only its user can read.
 *
 * @param file the certificate and its private key, as PKCS#12
 * @param pem the certificate alone, for programs that should trust it
 * @param isNew whether it was made just now
 */
record DevelopmentCertificate(Path file, Path pem, boolean isNew) {
  /** PKCS#12 requires a password; the file is protected by its permissions. */
  static final String PASSWORD = "windhover";

  private static final int DAYS = 365;

  /** A certificate must last for at least a working day. */
  private static final Duration LEAST_LEFT = Duration.ofDays(1);

  private static final int KEYTOOL_SECONDS = 60;

  /**
   * Returns the certificate in {@code folder}, and makes it first if necessary.
   *
   * @throws IOException if it can neither be read nor be made; the message is one line
   */
  static DevelopmentCertificate in(Path folder) throws IOException {
    Path file = folder.resolve("localhost.p12");
    Path pem = folder.resolve("localhost.pem");
    X509Certificate present = read(file);
    boolean isGood =
        present != null
            && present.getNotAfter().toInstant().isAfter(Instant.now().plus(LEAST_LEFT));
    if (!isGood) {
      make(folder, file);
      present = read(file);
    }
    writePem(Objects.requireNonNull(present, "keytool made no certificate"), pem);
    return new DevelopmentCertificate(file, pem, !isGood);
  }

  private static @Nullable X509Certificate read(Path file) throws IOException {
    if (Files.notExists(file)) {
      return null;
    }
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(new ByteArrayInputStream(Files.readAllBytes(file)), PASSWORD.toCharArray());
      return store.getCertificate("localhost") instanceof X509Certificate found ? found : null;
    } catch (IOException | GeneralSecurityException e) {
      throw new IOException(
          "development certificate " + file + " cannot be read; delete it for a new one", e);
    }
  }

  /**
   * Makes it in a temporary file and then moves it into place, because another process may be doing
   * the same.
   */
  private static void make(Path folder, Path file) throws IOException {
    Files.createDirectories(folder, onlyTheirs("rwx------"));
    Path work = Files.createTempDirectory(folder, "new-", onlyTheirs("rwx------"));
    Path made = work.resolve("localhost.p12");
    try {
      keytool(made);
      if (isPosix()) {
        Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rw-------"));
      }
      Files.move(made, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(made);
      Files.deleteIfExists(work);
    }
  }

  private static void keytool(Path into) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of("-genkeypair", "-alias", "localhost", "-keyalg", "EC"));
    command.addAll(List.of("-groupname", "secp256r1", "-sigalg", "SHA256withECDSA"));
    command.addAll(List.of("-dname", "CN=localhost, O=Windhover development certificate"));
    command.addAll(List.of("-validity", Integer.toString(DAYS)));
    command.addAll(List.of("-ext", "SAN=dns:localhost,ip:127.0.0.1,ip:0:0:0:0:0:0:0:1"));
    command.addAll(List.of("-ext", "BC:critical=ca:false", "-ext", "KU:critical=digitalSignature"));
    command.addAll(List.of("-ext", "EKU=serverAuth"));
    command.addAll(List.of("-storetype", "PKCS12", "-storepass", PASSWORD));
    command.addAll(List.of("-keystore", into.toString()));
    Process process;
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      throw new IOException("no development certificate can be made without the JDK's keytool", e);
    }
    process.getOutputStream().close();
    try {
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      boolean ended = process.waitFor(KEYTOOL_SECONDS, TimeUnit.SECONDS);
      if (!ended || process.exitValue() != 0) {
        throw new IOException(
            "keytool made no development certificate: " + said.strip().replace('\n', ' '));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while the development certificate was made", e);
    } finally {
      process.destroy();
    }
  }

  private static void writePem(X509Certificate certificate, Path pem) throws IOException {
    String text;
    try {
      text =
          "-----BEGIN CERTIFICATE-----\n"
              + Base64.getMimeEncoder(64, new byte[] {'\n'})
                  .encodeToString(certificate.getEncoded())
              + "\n-----END CERTIFICATE-----\n";
    } catch (GeneralSecurityException e) {
      throw new IOException("development certificate cannot be written: " + e, e);
    }
    if (Files.notExists(pem) || !Files.readString(pem).equals(text)) {
      Files.deleteIfExists(pem);
      Files.writeString(Files.createFile(pem, onlyTheirs("rw-------")), text);
    }
  }

  private static boolean isPosix() {
    return FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
  }

  /** On systems without POSIX permissions, a user's folder is already private. */
  private static FileAttribute<?>[] onlyTheirs(String permissions) {
    return isPosix()
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
        }
        : new FileAttribute<?>[0];
  }
}
