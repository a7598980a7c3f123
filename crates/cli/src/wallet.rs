//! The wallet folder: `<home>/wallet`, mode 0700.
