// Private to config/: files of numbers or text, as they lie on a disk.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>

#include "nngpcheck/files/array.hpp"

namespace nngpcheck::files {

/// An array, and what its file says about it.
struct ArrayFile {
  Array array;
  bool images = false;
  /// What bytes 0, …, 255 stand for; nothing: themselves.
  std::optional<std::pair<double, double>> range = {};
};

struct TextFile {
  std::string name;
  std::string text;  // UTF-8
};

/// An array or a text, whatever the file is called, save that CIFAR's files have no mark but .bin: npy, idx,
/// CIFAR, each also gzipped; an array of an npz file, "x.npz:images" (just "x.npz" if it is the only one);
/// text, also gzipped. Throws InputError for all others, saying what they are, and for damaged ones.
std::variant<ArrayFile, TextFile> read_data_file(const std::filesystem::path& file);

}  // namespace nngpcheck::files
