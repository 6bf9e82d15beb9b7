"""Tests of pictures and clips in, clips out."""
