/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import dev.holdfast.internal.SafeLog;
import java.lang.reflect.Field;
import java.net.URI;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.client.ClientHttpResponse;

/** A request that the client below has sent, perhaps where a redirect led, and the status of its answer. */
record Step(String method, URI uri, int status) {
    private static final SafeLog LOG = SafeLog.of(HoldfastInterceptor.class.getName());

    /** The status of a redirect that a client has followed without saying its status. */
    static final int FOLLOWED = 302;

    /** In place of the status where the last request got no answer. */
    static final int UNANSWERED = 0;

    private boolean isRedirect() {
        return status / 100 == 3;
    }

    /** Whether a redirect led to the last one, which is the first here. */
    static boolean isRedirected(List<Step> steps) {
        return steps.stream().skip(1).anyMatch(Step::isRedirect);
    }

    private static final Set<String> OF_SPRING = Set.of(
            "org.springframework.http.client.JdkClientHttpResponse",
            "org.springframework.http.client.BufferingClientHttpResponseWrapper");

    /**
     * Spring keeps the response of {@code java.net.http} to itself, and also the one whose body it has read into memory. There is no
     * other way to what was before it.
     */
    private static final ClassValue<Optional<Field>> INSIDE = new ClassValue<>() {
        @Override
        protected Optional<Field> computeValue(Class<?> type) {
            if (!OF_SPRING.contains(type.getName())) {
                return Optional.empty();
            }
            try {
                Field response = type.getDeclaredField("response");
                response.setAccessible(true);
                return Optional.of(response);
            } catch (ReflectiveOperationException | RuntimeException e) {
                LOG.warn("redirects of java.net.http are not seen: let the client follow none", e);
                return Optional.empty();
            }
        }
    };

    /** Those up to this response, the last one first; null if it does not tell. */
    static @Nullable List<Step> before(ClientHttpResponse response) {
        Object inside = response;
        while (inside instanceof ClientHttpResponse wrapper) {
            inside = inside(wrapper);
        }
        return inside instanceof HttpResponse<?> last ? all(last) : null;
    }

    private static @Nullable Object inside(ClientHttpResponse response) {
        Optional<Field> field = INSIDE.get(response.getClass());
        try {
            return field.isPresent() ? field.get().get(response) : null;
        } catch (IllegalAccessException e) {
            throw new AssertionError("it was made accessible", e);
        }
    }

    private static List<Step> all(HttpResponse<?> last) {
        List<Step> steps = new ArrayList<>(1);
        HttpResponse<?> response = last;
        while (response != null) {
            steps.add(new Step(response.request().method(), response.uri(), response.statusCode()));
            response = response.previousResponse().orElse(null);
        }
        return steps;
    }
}
