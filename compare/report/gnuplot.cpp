#include "nngpcheck/compare/report/gnuplot.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/compare/report/text.hpp"
#include "nngpcheck/files/atomic_file.hpp"
#include "nngpcheck/files/text_file.hpp"

extern char** environ;

namespace nngpcheck::compare {

namespace {

/// A pipe; both ends are closed with it.
struct Pipe {
  Pipe() {
    if (::pipe2(ends, O_CLOEXEC) != 0)
      throw CompareError(std::string("gnuplot cannot be started: ") + std::strerror(errno));
  }
  ~Pipe() {
    ::close(ends[0]);
    if (ends[1] >= 0) ::close(ends[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  /// All that others write to it, until they have closed it.
  std::string read_all() {
    ::close(std::exchange(ends[1], -1));
    std::string result;
    char block[4096];
    for (;;) {
      const ssize_t count = ::read(ends[0], block, sizeof block);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return result;
      result.append(block, static_cast<std::size_t>(count));
    }
  }

  int ends[2];
};

/// The lines of an error message as one, and no more of it than a person reads.
std::string one_line(const std::string& text) {
  constexpr std::size_t most = 400;
  std::string result;
  for (const char c : text) {
    const bool space = static_cast<unsigned char>(c) <= ' ';
    if (!space)
      result += c;
    else if (!result.empty() && result.back() != ' ')
      result += ' ';
  }
  if (result.ends_with(' ')) result.pop_back();
  return shortened(result, most);
}

void run_gnuplot(const std::filesystem::path& script) {
  const std::string file = std::filesystem::absolute(script).string();
  std::string name = "gnuplot", argument = file;
  char* const arguments[] = {name.data(), argument.data(), nullptr};
  Pipe errors;
  posix_spawn_file_actions_t to_pipe;
  posix_spawn_file_actions_init(&to_pipe);
  posix_spawn_file_actions_addopen(&to_pipe, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&to_pipe, errors.ends[1], 2);
  // A session of its own: Ctrl-C is for whoever waits for the picture to decide about, and gnuplot 6 sets the
  // terminal that it finds, which stops a process in the background.
  posix_spawnattr_t apart;
  posix_spawnattr_init(&apart);
  posix_spawnattr_setflags(&apart, POSIX_SPAWN_SETSID);
  pid_t process = 0;
  const int error = ::posix_spawnp(&process, "gnuplot", &to_pipe, &apart, arguments, environ);
  posix_spawn_file_actions_destroy(&to_pipe);
  posix_spawnattr_destroy(&apart);
  if (error != 0) throw CompareError("gnuplot cannot be started; install it (Debian: gnuplot-nox) to plot");
  const std::string said = one_line(errors.read_all());
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  const std::string how = WIFSIGNALED(status) ? fmt::format("was killed by signal {}", WTERMSIG(status))
                                              : std::string("failed to draw the plot");
  throw CompareError("gnuplot " + how + (said.empty() ? "" : ": " + said));
}

/// Without the style that gnuplot's SVG lacks, browsers blur a bitmap that they enlarge.
std::string with_sharp_pixels(std::string svg) {
  const std::string tag = "<image ";
  for (std::size_t at = 0; (at = svg.find(tag, at)) != std::string::npos;) {
    at += tag.size();
    svg.insert(at, "style='image-rendering:pixelated' ");
  }
  return svg;
}

}  // namespace

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') result += '\'';
    result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return result + "'";
}

void draw(const Canvas& canvas, const std::string& setup, const std::string& commands,
          const std::filesystem::path& base) {
  files::AtomicFile svg(base.string() + ".svg"), png(base.string() + ".png"), script(base.string() + ".gp");
  std::string text = setup;
  const auto add = [&](const std::string& terminal, const files::AtomicFile& file) {
    text += fmt::format("set terminal {}\nset output {}\n{}unset output\n", terminal,
                        quoted(std::filesystem::absolute(file.temporary()).string()), commands);
  };
  add(fmt::format("svg size {},{} font 'sans-serif,{}' background 'white' name 'nngpcheck'", canvas.width,
                  canvas.height, canvas.font_size),
      svg);
  // The SVG's font has pixels, the PNG's has points, of which there are 72 where there are 96 pixels.
  add(fmt::format("pngcairo size {},{} font 'sans-serif,{}' fontscale 1.5 linewidth 1.5 pointscale 1.5 "
                  "background 'white'",
                  canvas.width * 3 / 2, canvas.height * 3 / 2, canvas.font_size * 0.75),
      png);
  script.write(text);
  run_gnuplot(script.temporary());
  svg.commit(with_sharp_pixels(files::read_file(svg.temporary())));
  png.commit();
}

}  // namespace nngpcheck::compare
