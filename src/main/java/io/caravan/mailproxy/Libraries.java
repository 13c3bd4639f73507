package io.caravan.mailproxy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/** The jars of {@code lib.d/}: components and classes for routes of the user's own. */
final class Libraries extends URLClassLoader {

  private Libraries(URL[] jars, ClassLoader parent) {
    super("lib.d", jars, parent);
  }

  /**
   * A loader that sees what the proxy is made of and, after that, the jars of a folder.
   *
   * @param folder need not exist
   * @throws ConfigurationException one of them is no jar
   */
  static Libraries of(Path folder) {
    List<URL> urls = new ArrayList<>();
    for (Path jar : jars(folder)) {
      try (JarFile opened = new JarFile(jar.toFile())) {
        urls.add(Path.of(opened.getName()).toUri().toURL());
      } catch (IOException e) {
        throw new ConfigurationException(jar + " is no jar: " + e.getMessage());
      }
    }
    return new Libraries(urls.toArray(URL[]::new), Libraries.class.getClassLoader());
  }

  private static List<Path> jars(Path folder) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.getFileName().toString().endsWith(".jar")).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
