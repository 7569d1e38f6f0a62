package dev.windhover.http.files;

import dev.windhover.http.files.StaticContent.Body;
import dev.windhover.http.files.StaticContent.Coding;
import dev.windhover.http.files.StaticContent.Variants;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.io.UncheckedIOException;
import java.lang.module.ModuleReader;
import java.lang.module.ResolvedModule;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLConnection;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The resources below a folder, in a module or on the class path. Resources that are files, as in
 * development, are served as files. Resources in an archive never change: each is read once, on its
 * first request, and then kept in memory, or in a temporary file if it is large. So a slow client
 * costs no more memory than the piece that is being sent.
 */
final class ClassPathSource implements StaticFiles.Source {
  /** The largest resource that is kept in memory: as much as a socket's buffer takes at once. */
  private static final int MOST_HELD_OF_ONE = 64 * 1024;

  /**
   * The memory for all resources together. Once it is used up, the rest become files, whatever
   * their size.
   */
  private static final int MOST_HELD = 8 * 1024 * 1024;

  private static final int TAG_BYTES = 16;

  /** Finds resources by their whole names. */
  private interface Resources {
    /** Returns the resource, or null if there is none, or it is a folder in an archive. */
    @Nullable Resource find(String name) throws IOException;
  }

  private record Resource(URI uri, Opener opener) {
    boolean isFile() {
      return "file".equals(uri.getScheme());
    }
  }

  private interface Opener {
    InputStream open() throws IOException;
  }

  private final Resources resources;
  private final String prefix;

  /**
   * By name. It never grows larger than the archive's own index, because it contains only existing
   * resources.
   */
  private final Map<String, Variants> loaded = new ConcurrentSkipListMap<>(); // takes no lock

  private final AtomicInteger held = new AtomicInteger();

  private ClassPathSource(Resources resources, String folder) {
    this.resources = resources;
    this.prefix = folder.endsWith("/") ? folder : folder + "/";
  }

  static ClassPathSource of(Class<?> anchor, String folder) {
    if (folder.startsWith("/")) {
      throw new IllegalArgumentException("folder \"" + folder + "\" begins with /");
    }
    if (!StaticFiles.isPlain(folder.endsWith("/") ? folder + "x" : folder)) {
      throw new IllegalArgumentException("folder \"" + folder + "\" is not a valid name");
    }
    return new ClassPathSource(
        resolved(anchor.getModule())
            .map(ClassPathSource::ofModule)
            .orElseGet(() -> ofLoader(anchor)),
        folder);
  }

  @Override
  public @Nullable Variants find(String name, Instant now) throws IOException {
    Variants known = loaded.get(name);
    if (known != null) {
      return known;
    }
    // "!/" leads into a jar within a jar, if the class loader supports that.
    Resource plain = name.contains("!/") ? null : resources.find(prefix + name);
    if (plain == null) {
      return null;
    }
    return plain.isFile() ? file(Path.of(plain.uri()), name, now) : load(name, plain, now);
  }

  private static @Nullable Variants file(Path file, String name, Instant now) throws IOException {
    Path folder = file;
    for (int i = 0; i < Path.of(name).getNameCount(); i++) {
      folder = Objects.requireNonNull(folder.getParent());
    }
    return FolderSource.find(folder.toRealPath(), file, now);
  }

  private Variants load(String name, Resource plain, Instant now) throws IOException {
    List<StaticContent> coded = new ArrayList<>(0);
    for (Coding coding : Coding.values()) {
      Resource variant = resources.find(prefix + name + coding.suffix);
      // Another archive on the class path may contain a variant of that name, which does not belong
      // to this file.
      if (variant != null && variant.uri().toString().equals(plain.uri() + coding.suffix)) {
        coded.add(read(variant, coding, now));
      }
    }
    Variants variants = new Variants(read(plain, null, now), coded);
    Variants first = loaded.putIfAbsent(name, variants); // loops do not wait for each other
    return first == null ? variants : first;
  }

  private StaticContent read(Resource resource, @Nullable Coding coding, Instant now)
      throws IOException {
    MessageDigest digest = sha256();
    try (InputStream in = new DigestInputStream(resource.opener().open(), digest)) {
      byte[] start = in.readNBytes(MOST_HELD_OF_ONE + 1);
      long length = start.length;
      Body body;
      if (length <= MOST_HELD_OF_ONE && holds(start.length)) {
        body =
            (response, position, count) ->
                response.write(ByteBuffer.wrap(start, (int) position, (int) count));
      } else {
        Path file = Files.createTempFile("windhover-", ".resource");
        file.toFile().deleteOnExit();
        length =
            Files.copy(
                new SequenceInputStream(new ByteArrayInputStream(start), in),
                file,
                StandardCopyOption.REPLACE_EXISTING);
        body = (response, position, count) -> response.writeFile(file, position, count);
      }
      String opaque =
          HexFormat.of().formatHex(digest.digest(), 0, TAG_BYTES)
              + (coding == null ? "" : "-" + coding.token);
      return new StaticContent(
          coding == null ? null : coding.token,
          length,
          // Not the archive's time, which reproducible builds set to a constant.
          now.truncatedTo(ChronoUnit.SECONDS),
          new EntityTag(false, opaque),
          body);
    }
  }

  private boolean holds(int bytes) {
    return held.getAndUpdate(sum -> sum <= MOST_HELD - bytes ? sum + bytes : sum)
        <= MOST_HELD - bytes;
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JDK has it
    }
  }

  /** Returns a named module as it was resolved; empty for the class path. */
  private static Optional<ResolvedModule> resolved(Module module) {
    return module.getLayer() == null
        ? Optional.empty()
        : module.getLayer().configuration().findModule(module.getName());
  }

  /**
   * Bypasses the module's encapsulation, which would hide a folder like {@code wwwroot}, and every
   * folder below it, because their names are valid package names. Naming the anchor class is the
   * consent to do so.
   */
  private static Resources ofModule(ResolvedModule module) {
    ModuleReader reader;
    try {
      reader = module.reference().open(); // stays open as long as the program runs
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return name -> {
      URI found = reader.find(name).orElse(null);
      return found == null || found.toString().endsWith("/")
          ? null
          : new Resource(found, () -> reader.open(name).orElseThrow());
    };
  }

  private static Resources ofLoader(Class<?> anchor) {
    return name -> {
      URL found = anchor.getResource("/" + name);
      if (found == null || isFolderInArchive(found)) {
        return null;
      }
      try {
        return new Resource(found.toURI(), found::openStream);
      } catch (URISyntaxException e) {
        throw new IOException("resource " + found + " has a malformed address", e);
      }
    };
  }

  /** Returns whether {@code resource} is a folder, whose stream would be empty. */
  private static boolean isFolderInArchive(URL resource) throws IOException {
    if (resource.getProtocol().equals("file")) {
      return false;
    }
    URLConnection connection = resource.openConnection();
    return connection instanceof JarURLConnection jar && jar.getJarEntry().isDirectory();
  }
}
