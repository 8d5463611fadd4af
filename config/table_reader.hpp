// Private to config/: a TOML table that is read key by key, with errors that say where.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/netsor/error.hpp"
#include "nngpcheck/support/error.hpp"

namespace nngpcheck::config {

/// "FILE:LINE: ", or the --set that the node came from; `fallback` + ": " for a node made in memory.
std::string place(const toml::node& node, const std::string& fallback);

/// A node's TOML type in words: "a string", "an integer", …
std::string type_name(const toml::node& node);

class TableReader {
 public:
  /// `path` names the table in messages: "sweep"; `file` is where a table without a source came from.
  TableReader(const toml::table& table, std::string path, std::string file);

  const toml::table& table() const { return table_; }
  const std::string& path() const { return path_; }
  const std::string& file() const { return file_; }

  /// Throws InputError if the table has another key than these, with the one that is meant, or all of them.
  void only(const std::vector<std::string>& keys) const;

  /// The key's node, or null.
  const toml::node* find(const std::string& key) const { return table_.get(key); }

  // The value of a key. Each throws InputError if it is there with another type; `get` also if it is not
  // there.
  std::string get_string(const std::string& key, const std::string& example) const;
  std::int64_t get_integer(const std::string& key, const std::string& example) const;
  const toml::array& get_array(const std::string& key, const std::string& example) const;
  TableReader get_table(const std::string& key, const std::string& example) const;
  std::optional<std::string> find_string(const std::string& key, const std::string& example) const;
  std::optional<std::int64_t> find_integer(const std::string& key, const std::string& example) const;
  std::optional<double> find_number(const std::string& key, const std::string& example) const;
  std::optional<bool> find_boolean(const std::string& key, const std::string& example) const;
  std::optional<std::vector<std::int64_t>> find_integers(const std::string& key,
                                                         const std::string& example) const;

  /// "sweep.widths".
  std::string full(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }

  [[noreturn]] void fail(const toml::node& node, const std::string& problem) const;

  /// Runs `work` and gives its error the node as place.
  template <class Work>
  auto at(const toml::node& node, const Work& work) const {
    try {
      return work();
    } catch (const Error& error) {
      fail(node, error.what());
    }
  }

 private:
  template <class T>
  const T* find_as(const std::string& key, const std::string& type, const std::string& example) const;
  template <class T>
  const T& get_as(const std::string& key, const std::string& type, const std::string& example) const;

  const toml::table& table_;
  std::string path_;
  std::string file_;
};

}  // namespace nngpcheck::config
