/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where the text of a configuration comes from.
 *
 * @param name what messages call it
 * @param opening opens it
 */
record Source(String name, Opening opening) {

    /** Opens a text. */
    @FunctionalInterface
    interface Opening {
        InputStream open() throws IOException;
    }

    static Source of(Path file) {
        return new Source(file.toString(), () -> {
            if (Files.isDirectory(file)) {
                throw new IOException("is a directory");
            }
            return Files.newInputStream(file);
        });
    }

    static Source ofResource(String resource, ClassLoader loader) {
        return new Source("classpath:" + resource, () -> {
            InputStream found = loader.getResourceAsStream(resource);
            if (found == null) {
                throw new FileNotFoundException(resource);
            }
            return found;
        });
    }
}
