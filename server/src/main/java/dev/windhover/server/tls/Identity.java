package dev.windhover.server.tls;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.UnrecoverableKeyException;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.KeySpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.BadPaddingException;
import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * The certificate that a server presents, and the private key that proves it.
 *
 * @param chain the server's own certificate first
 */
record Identity(PrivateKey key, List<X509Certificate> chain) {
  private static final String KEY_OPTION = "--certificate-key";
  private static final String PASSWORD_OPTION = "--certificate-password";

  private static final Pattern PEM =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----\\s([A-Za-z0-9+/=\\s]*)-----END \\1-----");

  private static final List<String> KEY_KINDS = List.of("RSA", "EC", "EdDSA", "RSASSA-PSS");

  /** A part of a PEM file (RFC 7468). */
  private record Part(String label, String base64) {
    byte[] bytes() {
      return Base64.getMimeDecoder().decode(base64);
    }
  }

  X509Certificate certificate() {
    return chain.getFirst();
  }

  /** Returns why clients would reject the certificate at this time, or null. */
  @Nullable String untimely(Instant now) {
    Instant from = certificate().getNotBefore().toInstant();
    Instant to = certificate().getNotAfter().toInstant();
    if (now.isAfter(to)) {
      return "expired on " + to;
    }
    return now.isBefore(from) ? "not valid before " + from : null;
  }

  /** Reads the files; see {@link TlsOptions}. */
  static Identity read(Path certificate, @Nullable Path keyFile, @Nullable String password)
      throws BadCertificateException {
    byte[] bytes = bytesOf(certificate, "certificate");
    boolean isPem = new String(bytes, ISO_8859_1).contains("-----BEGIN ");
    if (!isPem && keyFile != null) {
      throw new BadCertificateException(
          "certificate " + certificate + " is not PEM, so it cannot have a separate key file");
    }
    Identity read;
    try {
      read =
          isPem
              ? fromPem(
                  partsOf(bytes),
                  keyFile == null ? partsOf(bytes) : partsOf(bytesOf(keyFile, "key")),
                  certificate,
                  keyFile == null ? "certificate " + certificate : "key " + keyFile,
                  password)
              : fromPkcs12(bytes, certificate, password);
    } catch (IllegalArgumentException e) { // invalid base64
      throw new BadCertificateException("certificate " + certificate + " is malformed PEM", e);
    }
    if (!isPair(read.key(), read.certificate())) {
      throw new BadCertificateException(
          keyFile == null
              ? "certificate " + certificate + " does not belong to the private key beside it"
              : "key " + keyFile + " does not belong to certificate " + certificate);
    }
    return read;
  }

  private static byte[] bytesOf(Path file, String what) throws BadCertificateException {
    String name = what + " " + file;
    String option = what.equals("key") ? KEY_OPTION : "--certificate";
    try {
      return Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw new BadCertificateException(
          name + " does not exist", e, "name another file with " + option);
    } catch (AccessDeniedException e) {
      throw new BadCertificateException(
          name + " may not be read",
          e,
          "let this user read it, or name another file with " + option);
    } catch (IOException e) {
      throw new BadCertificateException(
          name + " cannot be read: " + e.getMessage(), e, "name another file with " + option);
    }
  }

  // ---- PEM

  private static List<Part> partsOf(byte[] file) {
    List<Part> parts = new ArrayList<>();
    Matcher matcher = PEM.matcher(new String(file, ISO_8859_1));
    while (matcher.find()) {
      parts.add(new Part(matcher.group(1), matcher.group(2).strip()));
    }
    return parts;
  }

  private static Identity fromPem(
      List<Part> parts,
      List<Part> keyParts,
      Path certificate,
      String keyName,
      @Nullable String password)
      throws BadCertificateException {
    List<X509Certificate> chain = new ArrayList<>();
    for (Part part : parts) {
      if (part.label().equals("CERTIFICATE")) {
        try {
          chain.add(
              (X509Certificate)
                  CertificateFactory.getInstance("X.509")
                      .generateCertificate(new ByteArrayInputStream(part.bytes())));
        } catch (CertificateException e) {
          throw new BadCertificateException("certificate " + certificate + " is malformed", e);
        }
      }
    }
    if (chain.isEmpty()) {
      throw new BadCertificateException("certificate " + certificate + " has no certificate in it");
    }
    return new Identity(keyOf(keyParts, keyName, password), List.copyOf(chain));
  }

  private static PrivateKey keyOf(List<Part> parts, String name, @Nullable String password)
      throws BadCertificateException {
    for (Part part : parts) {
      switch (part.label()) {
        case "PRIVATE KEY" -> {
          return keyOf(new PKCS8EncodedKeySpec(part.bytes()), name);
        }
        case "ENCRYPTED PRIVATE KEY" -> {
          return keyOf(decrypted(part.bytes(), name, password), name);
        }
        case "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY" ->
            throw new BadCertificateException(
                name + " is not in PKCS#8 format; convert it with openssl pkcs8 -topk8");
        default -> {}
      }
    }
    throw new BadCertificateException(
        name + " has no private key in it", null, "name the key's file with " + KEY_OPTION);
  }

  private static KeySpec decrypted(byte[] bytes, String name, @Nullable String password)
      throws BadCertificateException {
    if (password == null) {
      throw noPassword(name, null);
    }
    try {
      EncryptedPrivateKeyInfo info = new EncryptedPrivateKeyInfo(bytes);
      // PBES2 is named only in its parameters: PBEWithHmacSHA256AndAES_256.
      String scheme = info.getAlgName();
      if (info.getAlgParameters() != null
          && scheme.matches("PBES2|1\\.2\\.840\\.113549\\.1\\.5\\.13")) {
        scheme = info.getAlgParameters().toString();
      }
      Cipher cipher = Cipher.getInstance(scheme);
      cipher.init(
          Cipher.DECRYPT_MODE,
          SecretKeyFactory.getInstance(scheme)
              .generateSecret(new PBEKeySpec(password.toCharArray())),
          info.getAlgParameters());
      return info.getKeySpec(cipher);
    } catch (InvalidKeySpecException | InvalidKeyException e) {
      throw wrongPassword(name, e);
    } catch (GeneralSecurityException | IOException e) {
      if (e.getCause() instanceof BadPaddingException) {
        throw wrongPassword(name, e);
      }
      throw new BadCertificateException(
          name + " is encrypted in an unknown way: " + e.getMessage(), e);
    }
  }

  private static BadCertificateException noPassword(String name, @Nullable Throwable cause) {
    return new BadCertificateException(
        name + " is encrypted, and no password is given", cause, "give it with " + PASSWORD_OPTION);
  }

  private static BadCertificateException wrongPassword(String name, Throwable cause) {
    return new BadCertificateException(
        name + " does not open with the password",
        cause,
        "give another one with " + PASSWORD_OPTION);
  }

  private static PrivateKey keyOf(KeySpec spec, String name) throws BadCertificateException {
    for (String kind : KEY_KINDS) {
      try {
        return KeyFactory.getInstance(kind).generatePrivate(spec);
      } catch (GeneralSecurityException e) {
        // try the next algorithm
      }
    }
    throw new BadCertificateException(name + " is no key of RSA, EC or EdDSA");
  }

  // ---- PKCS#12

  private static Identity fromPkcs12(byte[] bytes, Path file, @Nullable String password)
      throws BadCertificateException {
    String name = "certificate " + file;
    char[] secret = password == null ? new char[0] : password.toCharArray();
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(new ByteArrayInputStream(bytes), secret);
      for (String alias : Collections.list(store.aliases())) {
        if (store.isKeyEntry(alias)) {
          List<X509Certificate> chain = new ArrayList<>();
          for (Certificate certificate : store.getCertificateChain(alias)) {
            chain.add((X509Certificate) certificate);
          }
          return new Identity((PrivateKey) store.getKey(alias, secret), List.copyOf(chain));
        }
      }
    } catch (IOException | GeneralSecurityException e) {
      if (e instanceof UnrecoverableKeyException
          || e.getCause() instanceof UnrecoverableKeyException) {
        throw password == null ? noPassword(name, e) : wrongPassword(name, e);
      }
      throw new BadCertificateException(name + " is neither PEM nor PKCS#12", e);
    }
    throw new BadCertificateException(name + " has no private key in it");
  }

  // ---- The pair

  private static boolean isPair(PrivateKey key, X509Certificate certificate) {
    String scheme =
        switch (key.getAlgorithm()) {
          case "RSA" -> "SHA256withRSA";
          case "EC" -> "SHA256withECDSA";
          case "EdDSA" -> "EdDSA";
          default -> "";
        };
    if (scheme.isEmpty()) {
      return true; // the handshake will show it
    }
    try {
      byte[] probe = {1, 2, 3};
      Signature signature = Signature.getInstance(scheme);
      signature.initSign(key);
      signature.update(probe);
      byte[] signed = signature.sign();
      signature.initVerify(certificate.getPublicKey());
      signature.update(probe);
      return signature.verify(signed);
    } catch (GeneralSecurityException e) {
      return false; // a key of another kind
    }
  }
}
