#include "compare/gnuplot.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "compare/atomic_file.hpp"
#include "compare/error.hpp"

extern char** environ;

namespace nngpcheck::compare {

namespace {

void run_gnuplot(const std::filesystem::path& script) {
  const std::string file = std::filesystem::absolute(script).string();
  std::string name = "gnuplot", argument = file;
  char* const arguments[] = {name.data(), argument.data(), nullptr};
  posix_spawn_file_actions_t silent;
  posix_spawn_file_actions_init(&silent);
  posix_spawn_file_actions_addopen(&silent, 2, "/dev/null", O_WRONLY, 0);
  // A group of its own: Ctrl-C is for whoever waits for the picture to decide about.
  posix_spawnattr_t apart;
  posix_spawnattr_init(&apart);
  posix_spawnattr_setflags(&apart, POSIX_SPAWN_SETPGROUP);
  pid_t process = 0;
  const int error = ::posix_spawnp(&process, "gnuplot", &silent, &apart, arguments, environ);
  posix_spawn_file_actions_destroy(&silent);
  posix_spawnattr_destroy(&apart);
  if (error != 0) throw CompareError("gnuplot cannot be started; install it (Debian: gnuplot-nox) to plot");
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw CompareError("gnuplot failed to draw the plot");
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

std::string read_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

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
  AtomicFile svg(base.string() + ".svg"), png(base.string() + ".png"), script(base.string() + ".gp");
  std::string text = setup;
  const auto add = [&](const std::string& terminal, const AtomicFile& file) {
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
  svg.commit(with_sharp_pixels(read_file(svg.temporary())));
  png.commit();
}

}  // namespace nngpcheck::compare
